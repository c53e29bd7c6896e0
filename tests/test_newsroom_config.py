"""The configuration that ships: what 0.65 reads and what 1.0 reads say the same."""

import datasette_yaml
import yaml


def test_datasette_yaml_says_what_metadata_yaml_and_settings_json_say():
    shipped = yaml.safe_load((datasette_yaml.NEWSROOM / "datasette.yaml").read_text())
    assert shipped == datasette_yaml.configuration(), "run: python tests/datasette_yaml.py"
