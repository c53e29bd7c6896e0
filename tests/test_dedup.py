"""Deduplication: what is one story, and what is not. One fact per test, all texts made up."""

# ruff: noqa: E501  (paragraphs are one line each)

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import dedup
from aggregator.dedup.judge import WINDOW
from aggregator.errors import AggregatorError
from aggregator.model import VERDICT_REASONS, Candidate

NOON = datetime(2026, 5, 11, 12, 0, tzinfo=UTC)

TITLE = "Ferry with 214 aboard runs aground off Varholm"
STORY = """VARHOLM, May 11 (Reuters) - A car ferry with 214 people aboard ran aground in thick fog off the island of \
Varholm on Monday, and lifeboats took everyone to safety within three hours, the coastguard said.

The Marit Aune struck the Kalven reef at 6:42 a.m., twelve minutes after leaving Storvik harbour for the mainland. Nine \
passengers were treated for bruises and one for a broken wrist.

"We heard a long scraping sound and then the coffee cups slid off the tables," said Ingeborg Dahl, 58, a teacher who \
was travelling to Bergsund with her class. "The crew were calm, so the children were calm too."

Captain Rolf Tangen told investigators that the radar had shown the reef but that the current had pushed the vessel \
about 150 metres to the east. The ferry was built in 1998 and passed an inspection in February.

Divers found a gash of four metres below the waterline. Booms were laid around the hull to hold back some 30 tonnes of \
diesel oil, of which less than a tenth had leaked by Monday afternoon.

The operator, Skjergard Lines, cancelled all sailings on the route until Thursday and chartered two buses. "We owe our \
passengers an apology and an explanation," said its chief executive, Hanne Lie.

The accident commission in Bergsund opened an inquiry. A tug from Storvik will try to pull the ferry free at high water \
on Tuesday night."""
PARAGRAPHS = STORY.split("\n\n")

REWRITTEN = """Fog and a strong current put the ferry Marit Aune on the rocks near Varholm early on Monday. All 214 \
travellers got off, the last of them by 9:40.

It had left Storvik just twelve minutes before it touched the Kalven reef at 6:42. Bruises were what nine people took \
home; a tenth broke a wrist.

"We heard a long scraping sound and then the coffee cups slid off the tables," recalled Ingeborg Dahl, a 58-year-old \
teacher bound for Bergsund with pupils. "The crew were calm, so the children were calm too."

Rolf Tangen, who commanded the ship, is said to have seen the rocks on his radar. Water running east carried him 150 \
metres off course, he told those looking into it. Inspectors had cleared the 1998-built vessel in February.

Below the surface a hole four metres long was discovered by divers. Of 30 tonnes of diesel, under a tenth had escaped by \
the afternoon, and barriers now ring the wreck.

Until Thursday no boats of Skjergard Lines run there; two coaches stand in. Its head, Hanne Lie, said: "We owe our \
passengers an apology and an explanation."

Bergsund's accident commission is investigating. On Tuesday night, when the sea is high, a Storvik tug is to have a go."""

EVENT = """Fishermen from three villages were the first to reach the stranded ship, and by the time the lifeboats came they \
had already taken forty schoolchildren off it.

"You do not wait for a telephone call when you see a white wall of a boat standing where no boat should stand," said Aksel \
Vik, who has set crab pots around the reef since 1979.

In the community hall women were handing out soup and socks. The mayor, Sunniva Foss, said the island had asked for a \
light on the skerry in 2011 and again in 2019, and had received two polite letters.

Oil experts from the ministry are expected tomorrow with equipment from Germany."""

FOLLOW_UP = """STORVIK, May 13 (Reuters) - The master of the ferry that struck a reef on Monday was suspended on \
Wednesday, after a voice recording showed that he had left the bridge for seven minutes, investigators said.

Prosecutor Live Strand said she was weighing a charge of negligent navigation, which carries up to two years in prison. A \
second officer, aged 26, had been alone at the wheel and called for help on the intercom four times.

The union of ship's officers asked why the line had halved the number of watchkeepers in January to save 11 million \
crowns a year. Shares in its parent company fell by 6.4 percent in Oslo.

The wreck was towed into dry dock during the night. Repairs will take until August, the yard said.

Divers found a gash of four metres below the waterline. Booms were laid around the hull to hold back some 30 tonnes of \
diesel oil."""


def sketch(text: str = STORY, title: str = TITLE, hours: float = 0.0) -> dedup.Sketch:
    return dedup.sketch(title, text, published=NOON + timedelta(hours=hours))


def candidate(text: str = STORY, title: str = TITLE, hours: float = 0.0, number: int = 7) -> Candidate:
    return Candidate(number, title, text, NOON + timedelta(hours=hours))


def same(new: str, kept: str = STORY, *, titles: tuple[str, str] = ("", ""), hours: float = 2.0) -> bool:
    verdict = dedup.judge(sketch(new, titles[0], hours), [candidate(kept, titles[1])])
    assert verdict.reason in VERDICT_REASONS
    assert (verdict.copy_of is None) == (verdict.reason == "new")
    return verdict.copy_of is not None


# ------------------------------------------------------------------------------------- one story

COPIES = {
    "the same text": STORY,
    "dateline and agency dropped": STORY.replace("VARHOLM, May 11 (Reuters) - ", ""),
    "light edits": STORY.replace("thick fog", "dense fog").replace("told investigators", "said").replace("some 30", "about 30"),
    "the last paragraphs cut": "\n\n".join(PARAGRAPHS[:4]),
    "paragraphs cut from the middle": "\n\n".join([*PARAGRAPHS[:2], *PARAGRAPHS[4:]]),
    "a brief of the first paragraph": PARAGRAPHS[0],
    "a brief of two sentences": "A car ferry with 214 people aboard ran aground in thick fog off the island of Varholm on Monday. "
    "Lifeboats took everyone to safety within three hours, the coastguard said.",
    "a local lede before it": "Four pupils of Lindesholm school are back home after the scare. Their parents met them on the quay with "
    "blankets on Monday night.\n\n" + STORY + "\n\nThe town will hold a service on Sunday at ten.",
    "furniture around it": "Home > News > Region\n\nShare this: Facebook X Mail\n\n" + STORY + "\n\nSign up for our newsletter and get "
    "the news of the day at seven.\n\nMost read\n\n1. Where to find the first strawberries\n\n2. Five walks along the coast",
    "numbers and spelling in another style": STORY.replace("twelve minutes", "12 minutes").replace("Nine passengers", "9 passengers"),
    "a newer text with some new figures": STORY.replace("less than a tenth had leaked by Monday afternoon", "about 5 tonnes had leaked by "
    "Monday evening").replace("Nine passengers were treated for bruises", "Fourteen passengers were treated for bruises"),
    "the same facts and quotations in other words": REWRITTEN,
}  # fmt: skip


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())
def test_is_one_story_with(copy: str) -> None:
    assert same(copy)


@pytest.mark.parametrize("kept", COPIES.values(), ids=COPIES.keys())
def test_whichever_came_first(kept: str) -> None:
    assert same(STORY, kept)


# ------------------------------------------------------------------------------- different stories

MATCH = (
    "{home} beat {away} {score} in front of {crowd} spectators on {day} night in the {round}th round of the second division.\n\n"
    "{one} put the hosts ahead with a low shot from the edge of the area after {m1} minutes. {two} levelled from a free kick in "
    "the {m2}th minute before substitute {three} headed the winner with {m3} minutes left.\n\n"
    "The visitors had 58 percent of the ball but never found a way past the defence in the last quarter of an hour. The hosts "
    "climb to the upper half of the table, {points} points behind the leaders."
)
MATCH_A = MATCH.format(home="Varholm", away="Storvik", score="2-1", crowd="3,214", day="Monday", round=31, one="Odd Berg",
                       two="Jan Moe", m1=18, m2=52, three="Nils Hauge", m3=13, points=9)  # fmt: skip
MATCH_B = MATCH.format(home="Bergsund", away="Lindesholm", score="1-2", crowd="1,876", day="Friday", round=32, one="Tor Lie",
                       two="Per Strand", m1=34, m2=61, three="Lars Vik", m3=4, points=14)  # fmt: skip
MARKET = (
    "The Nordhavn index {verb} {points} points, or {share} percent, to {level} on {day}, {why}.\n\n"
    "Turnover came to {turnover} billion crowns. Of the larger shares, {up} gained {gain} percent while {down} lost {loss} "
    "percent.\n\nThe crown was quoted at {crown} to the euro in late trade, against {before} the evening before."
)
MARKET_A = MARKET.format(verb="rose", points="21.44", share="0.62", level="3,468.90", day="Monday", why="tracking gains abroad",
                         turnover="4.1", up="Tangen Oil", gain="1.2", down="Lie Foods", loss="0.8", crown="11.42", before="11.47")  # fmt: skip
MARKET_B = MARKET.format(verb="fell", points="14.07", share="0.41", level="3,454.83", day="Tuesday", why="as investors sold",
                         turnover="3.6", up="Aune Paper", gain="0.4", down="Moen Steel", loss="2.9", crown="11.53", before="11.42")  # fmt: skip
ROADS = (
    "The {road} between {a} and {b} will be closed overnight from {start}pm on {day} to {end}am the next day, the roads agency "
    "said.\n\nThe closure is needed for {why}. A signed diversion of {miles} miles will be in place, and drivers are advised to "
    "allow an extra {extra} minutes.\n\nAccess for residents and emergency vehicles will be maintained. All works are subject to "
    "weather and may be postponed at short notice."
)
ROADS_A = ROADS.format(
    road="R882", a="Tolmore", b="Birkby", start=9, day="Tuesday", end=5, why="resurfacing", miles=11, extra=25
)
ROADS_B = ROADS.format(
    road="R836",
    a="Strathmere",
    b="Melling",
    start=10,
    day="Thursday",
    end=6,
    why="drainage repairs",
    miles=27,
    extra=50,
)
QUOTE = (
    '"I have stood in the grain stores of three provinces this week, and what I saw in them was swept floors. There is food '
    "ninety kilometres away, it has been paid for, it is on trucks, and the trucks are facing a man with a rubber stamp. No "
    'child has ever been saved by a form that was filled in correctly the month after," Amara Ross told the council.'
)
SPEECH_A = (
    "The top humanitarian official appealed on Thursday for the opening of the Marrat crossing and warned of famine by July.\n\n"
    f"{QUOTE}\n\nDonors have covered 84 percent of this year's appeal. The government says it closed the crossing in March to stop "
    "weapons being smuggled. A resolution drafted by Norway and Ghana is to be put to a vote on Monday."
)
SPEECH_B = (
    "Drivers at Marrat sleep under their trailers because it is cooler there. Some have waited 26 days for a customs form that "
    f"nobody can download.\n\n{QUOTE}\n\nA refrigerated lorry burns 70 litres a day standing still. Haulage company Sahra Lines will "
    "pull its fleet out at the end of the month. Villagers sell tea, phone credit and haircuts along the queue."
)
ABOUT = (
    "About Veltrane: Veltrane Therapeutics is a biotechnology company dedicated to transforming the lives of people with rare "
    "kidney diseases. Founded in 2014 and headquartered in Larkmont, the company has built a pipeline of four oral medicines from "
    "its own discovery platform. Its shares are listed in Nordhavn."
)
RELEASE_A = (
    "LARKMONT - Veltrane today announced the appointment of Moira Castellan as chief medical officer from June 1. She joins from "
    "Orrin, where she led kidney research for eight years, and succeeds Henrik Aas, who retires.\n\nCastellan trained in Cork and "
    "Toronto and has published more than 60 papers. She will oversee drug safety and sit on the executive committee.\n\n"
    + ABOUT
)
RELEASE_B = (
    "LARKMONT - Veltrane today priced an offering of 7,000,000 shares at 50 crowns each. Harrow Bank and Bexley are the joint "
    "managers, and the offering is expected to close on May 18.\n\nThe underwriters have an option on 1,050,000 more. Proceeds "
    "will pay for the launch of sorivaptide and for a second late-stage study in nephritis.\n\n" + ABOUT
)
DIGEST = (
    "Good morning. Here is what you should know today.\n\n" + PARAGRAPHS[0] + "\n\n" + MATCH_A.split("\n\n")[0] + "\n\n"
    + RELEASE_A.split("\n\n")[0] + "\n\nThe mayor of Sarrento has banned wheeled suitcases during festival week, because of the noise."
)  # fmt: skip
OTHERS = {
    "another match of the same form": (MATCH_B, MATCH_A),
    "tomorrow's market report": (MARKET_B, MARKET_A),
    "the other town's road works": (ROADS_B, ROADS_A),
    "a report of the same event": (EVENT, STORY),
    "a follow-up with some background": (FOLLOW_UP, STORY),
    "another report of the same speech": (SPEECH_B, SPEECH_A),
    "a release with the same About paragraph": (RELEASE_B, RELEASE_A),
    "a digest that has its first paragraph": (DIGEST, STORY),
    "a text that has nothing to do with it": (RELEASE_A, STORY),
}


@pytest.mark.parametrize(("new", "kept"), OTHERS.values(), ids=OTHERS.keys())
def test_is_another_story_than(new: str, kept: str) -> None:
    assert not same(new, kept, hours=24)


RECORDS = {
    "vulnerabilities": (
        ("CVE-2026-1110", "A flaw was found in Lock Ticketing 1.0. Affected is an unknown function of the file login.php. "
         "Changing the argument username leads to sql injection. The attack can be launched remotely."),
        ("CVE-2026-1111", "A flaw was found in Lock Ticketing 1.0. Affected is an unknown function of the file view.php. "
         "Changing the argument id leads to sql injection. The attack can be launched remotely."),
    ),
    "earthquakes": (
        ("M 4.6 - 31 km SSW of Dor", "Time 2026-11-27 00:12:09 UTC Location 10.0°N 11.2°E Depth 10.00 km (6.21 mi)"),
        ("M 2.5 - 7 km SSW of Skerra", "Time 2026-11-27 02:12:09 UTC Location 10.2°N 11.2°E Depth 10.00 km (6.21 mi)"),
    ),
    "judgments": (
        ("Thorp v. Canal Co [2026] UKSC 40", "Judgment of 27 November 2026"),
        ("Ives v. Bell [2026] UKSC 39", "Judgment of 27 November 2026"),
    ),
    "what a feed says of all its items": (
        ("Mill burns down in the night", "The Tolmare Herald brings you the news of the harbour and the islands every day."),
        ("Bakers open an hour later", "The Tolmare Herald brings you the news of the harbour and the islands every day."),
    ),
    "filings": (
        ("4 - CANAL CO", "Filed: 2026-11-27 AccNo: 0000012345-26-000001 Size: 5 KB"),
        ("4 - CANAL CO", "Filed: 2026-11-27 AccNo: 0000012345-26-000002 Size: 6 KB"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), RECORDS.values(), ids=RECORDS.keys())
def test_two_records_of_one_feed_are_no_copies(one: tuple[str, str], other: tuple[str, str]) -> None:
    kept = dataclasses.replace(candidate(one[1], one[0]), origin=(1, "harbour.example"))
    verdict = dedup.judge(sketch(other[1], other[0], 2), [kept], origin=(1, "harbour.example"))
    assert verdict.copy_of is None


def test_the_same_text_again_in_one_feed_is_the_same_story() -> None:
    kept = dataclasses.replace(
        candidate(PARAGRAPHS[0], "Gale warning issued at 1 am"), origin=(1, "harbour.example")
    )
    again = sketch(PARAGRAPHS[0], "Gale warning issued at 4 am", 2)
    assert dedup.judge(again, [kept], origin=(1, "harbour.example")).copy_of == kept.id


def test_an_update_in_the_same_feed_is_the_same_story() -> None:
    kept = dataclasses.replace(candidate(PARAGRAPHS[0], TITLE), origin=(1, "harbour.example"))
    update = sketch(f"{PARAGRAPHS[0]} {PARAGRAPHS[1]}", f"UPDATE 1-{TITLE}", 2)
    assert dedup.judge(update, [kept], origin=(1, "harbour.example")).copy_of == kept.id


def test_a_brief_in_a_feed_of_several_outlets_is_a_copy_under_another_headline() -> None:
    kept = dataclasses.replace(candidate(PARAGRAPHS[0], "Ferry aground"), origin=(1, "harbour.example"))
    copy = sketch(PARAGRAPHS[0].replace("VARHOLM, May 11 (Reuters) - ", ""), "Ferry stuck", 2)
    assert dedup.judge(copy, [kept], origin=(1, "harbour.example")).copy_of is None
    assert dedup.judge(copy, [kept], origin=(1, "other.example")).copy_of == kept.id


def test_the_same_text_beyond_the_window_is_another_story() -> None:
    assert same(STORY, hours=71)
    assert not same(STORY, hours=73)
    assert WINDOW == 72 * 3600


def test_another_window_may_be_asked_for() -> None:
    assert dedup.judge(sketch(hours=40), [candidate()], window=24 * 3600).copy_of is None
    assert dedup.judge(sketch(hours=140), [candidate()], window=240 * 3600).copy_of == 7


# -------------------------------------------------------------------------------- other languages

LANGUAGES = {
    "German": (
        "Hollerbrück (nwd) - Nach dem Zusammenstoß eines Güterzugs mit einem Baukran ist die Strecke zwischen Hollerbrück und "
        "Kaltenried am Montag gesperrt worden. Der 34 Jahre alte Lokführer kam mit einem Schock ins Krankenhaus.\n\nDer Zug mit 22 "
        "Kesselwagen war gegen 4.50 Uhr unterwegs zu einer Raffinerie, als der Ausleger in die Gleise ragte. Die Lokomotive riss die "
        "Oberleitung auf 600 Metern herunter. Die Wagen waren leer, wie die Bundespolizei mitteilte.\n\nDer Kran gehört zu einer "
        "Baustelle an der Altmooser Brücke. Die Reparatur dauert nach Angaben der Bahn mindestens bis Donnerstag.",
        "Der Gemeinderat von Kaltenried hat am Montag mit 14 zu 9 Stimmen den Bau eines neuen Hallenbads beschlossen. Es soll 11,8 "
        "Millionen Euro kosten und 2029 öffnen.\n\nDas alte Bad stammt von 1971 und verliert jeden Tag 20 Kubikmeter Wasser. "
        "Bürgermeisterin Gesa Brinkop sprach von einer Entscheidung für die Kinder der Stadt.",
    ),
    "Russian": (
        "Приозерск, 11 мая. Грузовое судно с 17 членами экипажа село на мель в тумане у острова Кальвен в понедельник утром, сообщили "
        "в порту. Никто не пострадал.\n\nСудно «Мария Орлова» вышло из Приозерска с 2400 тоннами зерна и отклонилось от курса на 150 "
        "метров из-за течения. Капитан Роман Титов сообщил, что радар показывал риф.\n\nБуксир попытается снять его с мели во вторник "
        "ночью, когда поднимется вода. Следственный комитет начал проверку.",
        "Городской совет Приозерска в понедельник принял бюджет на следующий год: расходы вырастут на 6,4 процента, до 1,9 миллиарда "
        "рублей.\n\nБольше всего денег получат школы и детские сады. Депутат Анна Белова голосовала против и назвала прогноз доходов "
        "слишком смелым.",
    ),
    "Arabic": (
        "وادي السدر - أعلنت وزارة المياه، الاثنين، تشغيل محطة لتحلية المياه بالطاقة الشمسية بطاقة إنتاجية تبلغ 120 ألف متر مكعب يومياً، في "
        "خطوة تنهي سنوات من الانقطاع عن نحو 680 ألف نسمة.\n\nوقال الوزير عادل الشماخي إن المحطة التي استغرق بناؤها ثلاث سنوات كلفت 410 "
        "ملايين دولار وتضخ المياه إلى 14 بلدة عبر أنابيب يبلغ طولها 212 كيلومتراً.\n\nوأوضح أن الربط بالقرى الجبلية يكتمل قبل نهاية العام.",
        "فاز فريق النخيل على ضيفه الساحل بهدفين لهدف، مساء الاثنين، في المرحلة 27 من الدوري أمام 8300 متفرج.\n\nوسجل هدف الفوز البديل "
        "سامي الحارثي قبل خمس دقائق من النهاية، ورفع فريقه رصيده إلى 44 نقطة في المركز الرابع.",
    ),
    "Korean": (
        "(서림=한빛통신) 11일 새벽 서림항 제2부두의 수산물 냉동창고에서 불이 나 야간 작업 중이던 근로자 43명이 긴급 대피했다. 불은 9시간 만에 완전히 "
        "꺼졌으며 인명 피해는 없는 것으로 파악됐다.\n\n서림소방서에 따르면 불은 오전 2시 35분께 창고 1층 포장 작업장에서 시작됐다. 소방당국은 장비 "
        "38대와 인력 126명을 투입했다.\n\n창고에는 수출을 앞둔 오징어와 명태 2천100t이 보관돼 있었으며 재산 피해는 74억 원에 이를 것으로 추정된다.",
        "(서림=한빛통신) 서림시가 11일 내년부터 초등학생 통학 버스를 무료로 운영한다고 밝혔다. 대상은 읍면 지역 학생 1천200명이다.\n\n시는 버스 27대를 "
        "새로 들이고 운전기사를 뽑는 데 31억 원을 쓴다. 학부모들은 겨울철 통학이 한결 편해질 것이라고 반겼다.",
    ),
    "Japanese": (
        "十一日午前六時四十二分ごろ、鳥羽根島沖で乗客乗員214人を乗せたフェリー「まりと丸」が濃霧の中で浅瀬に乗り上げた。海上保安部によると、全員が三時間以内に"
        "救助され、九人が軽いけがをした。\n\n船は出港から十二分後に座礁した。船長は、潮の流れで東へ約150メートル流されたと話しているという。\n\n船底に長さ四メートルの"
        "亀裂が見つかり、軽油30トンの流出を防ぐため周囲にオイルフェンスが張られた。運航会社は木曜日まで全便を欠航とする。",
        "鳥羽根市議会は十一日、老朽化した市民プールの建て替えを14対9の賛成多数で可決した。総工費は十八億円で、二〇二九年の開業を目指す。\n\n現在の施設は一九七一年に"
        "建てられ、毎日20立方メートルの水が漏れている。",
    ),
    "Chinese": (
        "云岭社安湖5月11日电 横跨安湖的青石湾大桥11日上午合龙，两岸群众绕行90公里的历史有望在年底前结束。大桥全长3.86公里，通车后从柳塘县到安湖市区的车程将由一个半"
        "小时缩短到8分钟。\n\n大桥于2022年10月开工，总投资41.7亿元，主跨620米，设双向六车道。由于湖底淤泥最厚处达48米，施工方采用了大直径组合桩基。\n\n据了解，大桥计划"
        "今年12月通车，公交票价暂定4元。",
        "安湖市政府11日宣布，明年起为乡镇小学生提供免费校车。首批将投入27辆新车，覆盖1200名学生，预计每年支出3100万元。\n\n家长们表示，冬天孩子上学会方便许多。市教育局"
        "还将招聘四十名司机。",
    ),
    "Thai": (
        "อ่างเก็บน้ำห้วยกระทิงเกิดรอยรั่วบริเวณฐานสันเขื่อนดินเมื่อเช้ามืดวันที่ 11 พฤษภาคม เจ้าหน้าที่เร่งอพยพชาวบ้านท้ายน้ำ 3 หมู่บ้าน รวม 1,240 คน "
        "ไปยังศูนย์พักพิงชั่วคราว ไม่มีรายงานผู้บาดเจ็บ\n\nนายอำเภอเปิดเผยว่า ยามเฝ้าอ่างพบน้ำขุ่นไหลซึมออกมาเมื่อเวลา 03.40 น. จึงแจ้งเตือนผ่านหอกระจายข่าวทันที\n\n"
        "อ่างแห่งนี้สร้างเมื่อปี 2529 มีความจุ 8.6 ล้านลูกบาศก์เมตร ขณะเกิดเหตุมีน้ำอยู่ร้อยละ 91 หลังฝนตกหนักต่อเนื่องสี่วัน",
        "เทศบาลท่าสะแกเปิดตลาดกลางคืนแห่งใหม่ริมแม่น้ำเมื่อวันจันทร์ มีร้านค้ากว่า 180 ร้าน คาดว่าจะมีนักท่องเที่ยววันละ 2,500 คน\n\n"
        "นายกเทศมนตรีกล่าวว่าใช้งบประมาณ 12 ล้านบาท และจะเปิดทุกวันศุกร์ถึงวันอาทิตย์",
    ),
}


@pytest.mark.parametrize(("story", "other"), LANGUAGES.values(), ids=LANGUAGES.keys())
def test_a_cut_in_any_language_is_the_same_story_and_another_text_is_not(story: str, other: str) -> None:
    assert same(story.rpartition("\n\n")[0], story)
    assert same("www > News\n\n" + story, story)
    assert not same(other, story)


# ------------------------------------------------------------------------------------ short and thin


@pytest.mark.parametrize("text", ["", " \n ", "—"])
def test_an_empty_text_matches_nothing(text: str) -> None:
    assert not same(text, text, titles=(TITLE, TITLE))
    assert not same(STORY, text, titles=(TITLE, TITLE))


def test_a_stock_phrase_under_another_headline_matches_nothing() -> None:
    phrase = "Subscribe to read the whole article."
    assert not same(phrase, phrase, titles=(TITLE, "Council votes for a new swimming pool in Lindesholm"))


def test_headline_and_blurb_are_enough_when_there_is_nothing_else() -> None:
    blurb = "The lifeboats took all passengers to safety."
    verdict = dedup.judge(sketch(blurb, TITLE), [candidate(blurb, TITLE)])
    assert (verdict.copy_of, verdict.reason) == (7, "same_headline")


# ------------------------------------------------------------------------------------------ verdicts

REASONS = {
    "same_text": STORY,
    "near_text": COPIES["light edits"],
    "contained": COPIES["the last paragraphs cut"],
    "contains": COPIES["a local lede before it"] + "\n\n" + ROADS_A,
    "rewritten": REWRITTEN,
}


@pytest.mark.parametrize(("reason", "text"), REASONS.items(), ids=REASONS.keys())
def test_the_verdict_says_why(reason: str, text: str) -> None:
    assert dedup.judge(sketch(text, ""), [candidate(STORY, "")]).reason == reason


def test_the_evidence_names_what_both_have_and_what_only_one_has() -> None:
    evidence = dedup.judge(sketch(COPIES["a newer text with some new figures"]), [candidate()]).evidence
    assert {"214", "150"} <= set(evidence["figures_matched"])  # type: ignore[call-overload]
    assert evidence["figures_only_here"] == ["14", "5"]
    assert "dahl" in evidence["names_matched"]  # type: ignore[operator]


def test_the_same_text_is_contained_wholly() -> None:
    verdict = dedup.judge(sketch(), [candidate()])
    assert (verdict.resemblance, verdict.containment, verdict.confidence) == (1.0, 1.0, 1.0)


def test_the_best_of_several_candidates_is_joined() -> None:
    cut = candidate("\n\n".join(PARAGRAPHS[3:]), number=3)
    assert dedup.judge(sketch(hours=1), [cut, candidate(number=5)]).copy_of == 5


def test_without_candidates_a_text_is_new() -> None:
    assert dedup.judge(sketch(), []) == dedup.judge(sketch(""), [candidate()])


# ---------------------------------------------------------------------------------------- side by side


def test_spans_cover_both_texts_from_start_to_end() -> None:
    new = COPIES["light edits"]
    cut = dedup.spans(STORY, new)
    assert "".join(STORY[s.a[0] : s.a[1]] for s in cut).replace(" ", "") in STORY.replace(" ", "")
    for side, text in (("a", STORY), ("b", new)):
        ends = [getattr(s, side) for s in cut]
        assert ends[0][0] == 0 or text[: ends[0][0]].strip(' "“') == ""
        assert ends[-1][1] == len(text)
        assert all(left[1] <= right[0] for left, right in pairwise(ends))


def test_a_difference_shows_what_stands_on_either_side() -> None:
    cut = dedup.spans(
        "The old harbour master left the town on Monday night.",
        "The old harbour master left the city on Monday night.",
    )
    assert [s.shared for s in cut] == [True, False, True, False] or len([s for s in cut if not s.shared]) >= 1


def test_two_texts_can_be_compared_without_a_database() -> None:
    likeness = dedup.compare(STORY, "\n\n".join(PARAGRAPHS[:4]))
    assert likeness.same
    assert likeness.containment > 0.95 > 0.8 > likeness.resemblance
    assert likeness.passages[0] in STORY


def test_comparing_with_nothing_is_no_likeness() -> None:
    likeness = dedup.compare(STORY, "")
    assert (likeness.same, likeness.resemblance, likeness.passages) == (False, 0.0, ())


def test_copies_are_found_in_a_handful_of_texts() -> None:
    texts = {"wire": STORY, "pool": EVENT, "paper": COPIES["light edits"], "radio": PARAGRAPHS[0]}
    assert dedup.find_duplicates(texts) == {"wire": ["paper", "radio"]}


# ---------------------------------------------------------------------------------------------- stream


def documents() -> list[dict[str, str]]:
    texts = [STORY, MATCH_A, COPIES["the last paragraphs cut"], RELEASE_A, REWRITTEN, MATCH_B, MARKET_A, ROADS_A,
             COPIES["furniture around it"], FOLLOW_UP, ROADS_B, MARKET_B, SPEECH_A, SPEECH_B, RELEASE_B, EVENT]  # fmt: skip
    return [
        {"id": f"d{i}", "title": "", "text": text, "published": (NOON + timedelta(hours=i)).isoformat()}
        for i, text in enumerate(texts)
    ]


def clusters(rows: list[dict[str, object]]) -> dict[object, object]:
    return {row["id"]: row["cluster"] for row in rows}


def test_a_stream_names_the_kept_document_of_each() -> None:
    rows = list(dedup.stream(documents()))
    found = clusters(rows)
    assert [name for name, cluster in found.items() if name != cluster] == ["d2", "d4", "d8"]
    assert {found["d2"], found["d4"], found["d8"]} == {"d0"}
    assert [row["kept"] for row in rows[:3]] == [True, True, False]


def test_a_stream_decides_before_it_reads_on() -> None:
    rows = dedup.stream(iter([documents()[0], {"id": "broken"}]))
    assert next(rows)["id"] == "d0"


def test_the_past_alone_decides() -> None:
    whole = list(dedup.stream(documents()))
    assert list(dedup.stream(documents()[:9])) == whole[:9]


def test_copies_are_judged_by_the_kept_text_never_by_another_copy() -> None:
    half = len(PARAGRAPHS) // 2
    head, tail = "\n\n".join(PARAGRAPHS[:half]), "\n\n".join(PARAGRAPHS[half:])
    docs = [{"id": "head", "text": head}, {"id": "whole", "text": STORY}, {"id": "tail", "text": tail}]
    found = clusters(list(dedup.stream(docs)))
    assert found["whole"] == "head"
    assert found["tail"] == "tail"


@settings(max_examples=20, deadline=None)
@given(st.permutations(documents()))
def test_the_order_in_which_a_batch_arrives_does_not_matter(shuffled: list[dict[str, str]]) -> None:
    ordered = sorted(shuffled, key=lambda doc: (doc["published"], doc["id"]))
    assert clusters(list(dedup.stream(ordered))) == clusters(list(dedup.stream(documents())))


@pytest.mark.parametrize("absurd", [None, 0, 3])
def test_stories_older_than_the_window_are_forgotten(absurd: int | None) -> None:
    index = dedup.Index()
    for i in range(40):
        index.add(i, sketch(f"{STORY} {i}", hours=600_000 if i == absurd else 24 * i))
    assert len(index) <= 12


@pytest.mark.parametrize("odd", [-400_000, 400_000])
def test_one_absurd_date_does_not_make_the_stories_of_the_window_forgotten(odd: float) -> None:
    index = dedup.Index()
    for i in range(200):
        index.add(i, sketch(FOLLOW_UP if i == 140 else f"{STORY} {i}", hours=i))
    index.add(200, sketch(MARKET_A, hours=odd))
    index.add(201, sketch(MARKET_A, hours=200))
    assert index.judge(sketch(FOLLOW_UP, hours=201)).copy_of == 140


@pytest.mark.parametrize(
    ("doc", "problem"),
    [
        ({"text": "a"}, '"id" is missing'),
        ({"id": "", "text": "a"}, '"id" is missing'),
        ({"id": "b"}, '"text" is missing'),
        ({"id": "b", "text": 4}, '"text" is not a string'),
        ({"id": "b", "text": "a", "published": "yesterday"}, "'yesterday'"),
        ({"id": "a", "text": "a"}, "used before"),
        (["b"], "not an object"),
    ],
)
def test_a_document_that_cannot_be_used_is_named_with_its_cure(doc: object, problem: str) -> None:
    rows = dedup.stream(iter([{"id": "a", "text": ""}, doc]))  # type: ignore[list-item]
    next(rows)
    with pytest.raises(AggregatorError, match="document 2") as error:
        next(rows)
    assert problem in str(error.value)


NOTICE = "You have read all your free articles this month. Please log in or take out a subscription to read on here."


def test_a_notice_instead_of_two_stories_does_not_make_them_one() -> None:
    assert not same(NOTICE, NOTICE, titles=("Harbour bridge closed", "Bakers sleep longer"))
    assert same(NOTICE, NOTICE, titles=("Harbour bridge closed", "Harbour bridge to be closed"))


def test_a_brief_with_figures_is_a_copy_under_any_headline() -> None:
    brief = "The council of Tolmare spent 48,000 crowns on the bridge on Monday, twice what Ilse Brandvold had promised."
    assert same(brief, brief, titles=("Harbour bridge closed", "Mayor under fire"))


def test_of_two_stories_that_are_both_near_the_equal_one_is_joined() -> None:
    near = candidate(STORY.replace("Monday", "Tuesday"), TITLE, number=3)
    assert dedup.judge(sketch(STORY, TITLE, 1.0), [near, candidate(number=7)]).copy_of == 7
