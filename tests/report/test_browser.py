"""The report in a real browser, without a network: opened, hovered, typed at, paged."""

import itertools
import re
import shutil

import pytest

from fullcourt.domain.gate import Verdict
from fullcourt.domain.processors import BY_NAME
from fullcourt.report.encode import LETTERS
from fullcourt.report.page import PAGE_ROWS
from tests.report.made import HOSTILE

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f"NO BROWSER, the report is not tested in one: apt-get install {BROWSERS[0]}"
)
SHOWN = BY_NAME["ml_feature_store_v2"]  # what the page opens with


@pytest.fixture(scope="module")
def facts(made_facts):
    return made_facts


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])


@pytest.fixture(scope="module")
def file(made_text, tmp_path_factory):
    path = tmp_path_factory.mktemp("browser") / "report.html"
    path.write_text(made_text, encoding="utf-8")
    return path


@pytest.fixture
def page(browser, file):
    """The report opened; the test fails if the page says anything on its console, or asks for anything else."""
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(10_000)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert said == []
    assert asked == [file.as_uri()]


@pytest.fixture(scope="module")
def cells(facts):
    """(entity, day) -> the details of the processor shown first; and its entities in order."""
    grid = next(grid for grid in facts.grids if grid.processor is SHOWN)
    details = facts.details.to_pylist()
    return [
        (entity, [details[code] if code >= 0 else None for code in codes])
        for entity, codes in zip(grid.entities.to_pylist(), grid.codes, strict=True)
    ]


_TEXTS = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"


def letters(details):
    return [LETTERS[Verdict(detail["verdict"])] if detail else "" for detail in details]


def first(cells, verdict):
    """Row and column of the first cell of the first page with a verdict."""
    return next(
        (row, column)
        for row, (_, details) in enumerate(cells[:PAGE_ROWS])
        for column, detail in enumerate(details)
        if detail and detail["verdict"] == verdict
    )


def cell(page, row, column):
    return page.locator("#grid tbody tr").nth(row).locator("td").nth(column)


def test_the_first_page_shows_every_verdict_as_its_letter(page, cells):
    rows = page.eval_on_selector_all("#grid tbody tr", _TEXTS)
    for row in rows:
        del row[1]  # days held back
    assert rows == [[entity, *letters(details)] for entity, details in cells[:PAGE_ROWS]]


@pytest.mark.parametrize("way", ["hover", "click"])
@pytest.mark.parametrize("verdict", [Verdict.INCOMPLETE, Verdict.BLOCKED, Verdict.READY])
def test_a_cell_shows_its_reason(page, facts, cells, way, verdict):
    row, column = first(cells, verdict)
    getattr(cell(page, row, column), way)()
    entity, details = cells[row]
    said = page.locator("#reason").inner_text()
    assert entity in said
    assert facts.days[column].isoformat() in said
    detail = details[column]
    assert verdict.label in said
    assert detail["reason"] in said
    assert f"{detail['actual_games']} of {detail['required_games']} required" in said
    assert detail["missing_games"] in said


def test_the_keyboard_walks_the_grid_and_tells_each_cell(page, facts, cells):
    def told():
        return page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")

    def at(row, column):
        entity, details = cells[row]
        verdict = Verdict(details[column]["verdict"]).label.replace("_", " ") if details[column] else "not judged"
        return f"{entity}, {facts.days[column]}, verdict: {verdict}"

    page.locator("#find").focus()
    for _ in range(3):  # past the pager's one enabled button, and the frame that scrolls
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "TD":
            break
    assert told().startswith(at(0, 0))
    for keys, place in (
        (["ArrowRight", "ArrowRight", "ArrowDown"], (1, 2)),
        (["End"], (1, 19)),
        (["ArrowRight"], (1, 19)),
        (["ArrowLeft", "ArrowUp", "ArrowUp"], (0, 18)),
        (["Home"], (0, 0)),
        (["PageDown"], (PAGE_ROWS, 0)),
        (["PageUp"], (PAGE_ROWS - 1, 0)),
        (["Control+Home"], (0, 0)),
    ):
        for key in keys:
            page.keyboard.press(key)
        assert told().startswith(at(*place)), keys
        assert page.locator("#reason b").text_content() == cells[place[0]][0]
    assert page.locator("#grid td[tabindex='0']").count() == 1


def test_a_mouse_at_rest_does_not_take_the_word_from_the_keyboard(page, cells):
    cell(page, 0, 0).click()
    for _ in range(PAGE_ROWS - 1):  # the frame scrolls under the mouse
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(200)
    assert page.locator("#frame").evaluate("frame => frame.scrollTop") > 0
    assert page.locator("#reason b").text_content() == cells[PAGE_ROWS - 1][0]


def test_pages_turn_and_end(page, cells):
    previous, following, place = page.locator("#previous"), page.locator("#next"), page.locator("#place")
    assert previous.is_disabled()
    assert "1 to 60 of 130" in place.text_content()
    following.click()
    assert page.locator("#grid tbody tr").first.locator("th").first.text_content() == cells[PAGE_ROWS][0]
    following.click()
    assert following.is_disabled()
    assert "121 to 130 of 130" in place.text_content()
    assert page.locator("#grid tbody tr").count() == 10
    previous.click()
    assert "61 to 120" in place.text_content()


def test_another_processor_and_a_search_narrow_what_is_shown(page):
    page.locator("#processor").select_option(label="team_defense_zone_analysis (30 entities)")
    assert page.locator("#grid tbody tr").count() == 30
    page.locator("#find").fill("t07")
    assert page.locator("#grid tbody th.entity").all_text_contents() == ["T07"]
    page.locator("#find").fill("nobody at all")
    assert page.locator("#place").text_content() == "No entity matches."
    page.keyboard.press("Tab")  # nothing to walk into, and nothing breaks


def test_fault_40_a_hostile_name_is_only_a_name(page):
    page.locator("#find").fill("<img")
    assert page.locator("#grid tbody th.entity").all_text_contents() == [HOSTILE]
    page.locator("#grid tbody td:not(:empty)").first.click()
    assert HOSTILE in page.locator("#reason").text_content()
    page.locator("#plain summary").click()
    assert HOSTILE in page.locator("#plain table").text_content()
    assert page.locator("img").count() == 0
    assert page.title() == "Full Court report, 2024-10-22 to 2024-11-10"
    assert "'</script><img" in page.locator("#reason code").text_content()


def test_the_plain_table_carries_the_facts_of_the_page(page, facts, cells):
    page.locator("#plain summary").click()
    page.locator("#plain tbody").wait_for()
    rows = page.eval_on_selector_all("#plain tbody tr", _TEXTS)
    told = {}
    for entity, verdict, reason, number, days, games, _, missing, issues in rows:
        assert int(number) == len(days.split())
        for day in days.split():
            told[entity, day] = (verdict, reason, games, missing, issues)
    expected = {
        (entity, day.isoformat()): (
            Verdict(detail["verdict"]).label.replace("_", " "),
            detail["reason"],
            f"{detail['actual_games']} of {detail['required_games']}",
            detail["missing_games"],
            detail["issues"],
        )
        for entity, details in cells[:PAGE_ROWS]
        for day, detail in zip(facts.days, details, strict=True)
        if detail
    }
    assert told == expected
    page.locator("#next").click()
    assert page.locator("#plain tbody tr td").first.text_content() == cells[PAGE_ROWS][0]


@pytest.mark.parametrize(("section", "rows"), [("coverage", 20 * 11), ("windows", 20 * 15), ("breakers", 20 * 7)])
def test_a_charts_table_opens_with_a_row_a_fact(page, section, rows):
    page.locator(f"#{section} details summary").click()
    page.locator(f"#{section} details tbody").wait_for()
    assert page.locator(f"#{section} details tbody tr").count() == rows


def test_colours_of_verdicts_differ_in_lightness_and_letters_stand_out(page):
    """Told apart without any colour vision, and readable: WCAG's contrast of letter and cell is at least 4.5."""
    shown = page.eval_on_selector_all(
        ".legend .swatch[class*=v]",
        "all => all.map(one => [one.textContent, getComputedStyle(one).backgroundColor, getComputedStyle(one).color])",
    )
    lightness = {}
    for letter, back, ink in shown:
        if letter != LETTERS[Verdict.EXCLUDED]:  # it is hatched
            lightness[letter] = luminance(back)
            low, high = sorted((luminance(back), luminance(ink)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, letter
    ordered = sorted(lightness.values())
    assert len(ordered) == 5
    assert all((after + 0.05) / (before + 0.05) > 1.2 for before, after in itertools.pairwise(ordered))


def luminance(colour):
    """Relative luminance, 0-1, of rgb(r, g, b)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
