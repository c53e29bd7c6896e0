"""Worker processes: results in order, and a job that kills its worker costs only itself."""

import os
import signal
import subprocess
import sys

import pytest

from aggregator.model import Settings
from aggregator.pipeline.workers import WORTH_IT, Workers


def double(number):
    return 2 * number


def deadly(number):
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def where(_):
    return os.getpid()


def deaf(_):
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_jobs(processes):
    with Workers(Settings(processes=processes)) as workers:
        jobs = ((number,) for number in range(60))
        assert list(workers.map(double, jobs, WORTH_IT, lambda job: -1)) == [2 * n for n in range(60)]


def test_a_few_jobs_start_no_process():
    with Workers(Settings(processes=2)) as workers:
        assert list(workers.map(where, [(1,)], 1, lambda job: -1)) == [os.getpid()]


def test_workers_never_hear_ctrl_c():
    with Workers(Settings(processes=2)) as workers:
        assert all(workers.map(deaf, ((n,) for n in range(4)), WORTH_IT, lambda job: False))
    assert not deaf(0)


def test_a_script_without_a_main_guard_runs_everything_itself(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os\nfrom aggregator.model import Settings\nfrom aggregator.pipeline.workers import Workers\n"
        "with Workers(Settings(processes=2)) as workers:\n"
        "    print(list(workers.map(abs, ((-n,) for n in range(3)), 1000, lambda job: None)))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[0, 1, 2]", done.stderr


def test_a_job_that_kills_its_worker_costs_only_itself():
    with Workers(Settings(processes=2)) as workers:
        jobs = ((number,) for number in range(30))
        results = list(workers.map(deadly, jobs, WORTH_IT, lambda job: "died"))
    assert results == [*range(7), "died", *range(8, 30)]
