"""The page of a discovery in a browser: what moves, what is said, and that nothing leaves the page."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lieder as ld

pytest.importorskip("plotly", reason="plotly is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)

WAIT = 120_000  # ms, for what takes one second where the machine is free

HOSTILE = [
    "<script>document.title='gone'</script>",
    '"><img src=x onerror="document.title=\'gone\'">',
    "%{x} $a^2$ <a href='http://example.org'>u</a>",
]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def found():
    """Two symmetries of three: a rotation of the first two columns, and scaling of the output beside all columns."""
    x = np.asarray(jax.random.normal(jax.random.key(0), (400, 3)))
    turned = ld.vectors(ld.algebra.so(3))
    model = lambda z: jnp.stack([z[0] ** 2 + z[1] ** 2])  # noqa: E731
    return ld.discover.function(
        model, x, source=turned, target=ld.scalars(turned.algebra), names=HOSTILE, output_names=["</script><b>v</b>"]
    )


@pytest.fixture(scope="module")
def path(found, tmp_path_factory):
    return found.report(tmp_path_factory.mktemp("page") / "found.html", explore=True)


@pytest.fixture
def page(browser, path):
    """The page, opened from disk, and what it said and asked for."""
    context = browser.new_context(viewport={"width": 1000, "height": 800}, accept_downloads=True)
    view = context.new_page()
    view.set_default_timeout(WAIT)
    view.said, view.asked = [], []
    view.on("console", lambda message: view.said.append(message.text))
    view.on("pageerror", lambda error: view.said.append(str(error)))
    view.on("request", lambda request: view.asked.append(request.url))
    view.goto(path.as_uri())
    view.wait_for_selector("html[data-ready=yes]")
    yield view
    context.close()


def points(page, plot="flow"):
    return np.array(page.evaluate(f"[0, 1].map(k => document.getElementById('{plot}').data[1]['xy'[k]])"), float)


def slide(page, frame):
    page.evaluate(
        "frame => {const s = document.getElementById('slider'); s.value = frame; s.dispatchEvent(new Event('input'))}",
        str(frame),
    )


def test_the_slider_carries_the_points_along_the_flow(page, found):
    start, frames = points(page), int(page.get_attribute("#slider", "max") or "0")
    assert found.dim == 1 and frames == 40
    slide(page, 32)
    angle = float(page.inner_text("#time"))
    there = points(page)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    near = min(np.nanmax(np.abs(there - way @ start)) for way in (turn, turn.T))
    assert abs(angle) > 0.5 and np.abs(there - start).max() > 0.5
    assert near < 0.01 * np.abs(start).max()  # t is said with three digits


def test_a_symmetry_keeps_the_model_on_the_diagonal_and_another_does_not(page):
    slide(page, 30)
    wanted, given = points(page, "values")
    assert np.abs(wanted - given).max() < 1e-3 * np.ptp(wanted)
    assert "misses the carried outputs by" in page.inner_text("#missed")
    page.select_option("#which", "1")
    assert "broken" in page.inner_text("#formula")
    slide(page, 30)
    wanted, given = points(page, "values")
    assert np.abs(wanted - given).max() > 0.1 * np.ptp(wanted)


def test_play_moves_and_pauses(page):
    page.click("#play")
    playwright.expect(page.locator("#slider")).not_to_have_value("20", timeout=WAIT)
    assert page.inner_text("#play") == "Pause"
    page.click("#play")
    stopped = page.input_value("#slider")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.input_value("#slider") == stopped


def test_names_are_text_and_nothing_leaves_the_page(page, path):
    for frame in (0, 20, 40):
        slide(page, frame)
    assert page.title() == "Symmetries of the data"
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.evaluate("document.querySelectorAll('#explorer a').length") == 0
    assert HOSTILE[0] in page.inner_text("#across")
    assert HOSTILE[0] in page.inner_text("#speeds")
    assert page.said == []
    assert [url for url in page.asked if url != path.as_uri() and not url.startswith(("data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_on_a_small_screen(browser, path, scheme):
    view = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    view.set_default_timeout(WAIT)
    view.goto(path.as_uri())
    view.wait_for_selector("html[data-ready=yes]")
    assert view.evaluate("document.documentElement.scrollWidth") <= 400
    for plot in ("spectrum", "flow", "values"):
        box = view.locator(f"#{plot} .main-svg").first.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 400
    ink = view.evaluate("getComputedStyle(document.querySelector('#flow .xtitle')).fill")
    assert ink == ("rgb(31, 36, 48)" if scheme == "light" else "rgb(230, 233, 239)")
    view.close()


def test_paper_is_white(browser, path):
    view = browser.new_page(color_scheme="dark")
    view.set_default_timeout(WAIT)
    view.goto(path.as_uri())
    view.wait_for_selector("html[data-ready=yes]")
    view.emulate_media(media="print")
    ink = "getComputedStyle(document.querySelector('#flow .xtitle')).fill"
    for _ in range(100):  # the figure is drawn again in its own time
        if view.evaluate(ink) == "rgb(0, 0, 0)":
            break
        view.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    assert view.evaluate(ink) == "rgb(0, 0, 0)"
    assert view.locator(".controls").is_hidden()
    view.close()


def test_the_code_of_the_page_runs_on_the_result_that_it_carries(page, tmp_path, monkeypatch, capsys):
    page.click("button.copy")
    playwright.expect(page.locator("button.copy")).to_have_text("Copied", timeout=WAIT)
    with page.expect_download() as coming:
        page.click("a[download]")
    coming.value.save_as(tmp_path / coming.value.suggested_filename)
    monkeypatch.chdir(tmp_path)
    exec(page.inner_text(".code pre"), {})
    assert "x^2 + y^2" in capsys.readouterr().out


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """Pages on which nothing moves: of finite symmetries and of conserved quantities."""
    folder, x = tmp_path_factory.mktemp("still"), np.random.default_rng(0).uniform(-1, 1, (100, 2))
    names = HOSTILE[:2]
    square = lambda z: z[0] ** 4 + z[1] ** 4  # noqa: E731
    polygon = ld.vectors(ld.algebra.polygon(8))
    finite = ld.discover.finite(square, x, source=polygon, names=names, output_names=["</script><b>v</b>"])
    t = np.linspace(0, 10, 100)
    runs = [a * np.stack([np.cos(t + a), -np.sin(t + a)], 1) for a in (0.7, 1.0, 1.2, 1.5, 2.0)]
    kept = ld.discover.conserved(runs, "polynomials(2)", t=[t] * 5, names=names)
    return finite.report(folder / "finite.html"), kept.report(folder / "conserved.html")


@pytest.mark.parametrize("place", [0, 1], ids=["finite", "conserved"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_still_pages_say_names_as_text_ask_for_nothing_and_fit_a_small_screen(browser, still, place, scheme):
    view = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    view.set_default_timeout(WAIT)
    said, asked = [], []
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("request", lambda request: asked.append(request.url))
    view.goto(still[place].as_uri())
    assert view.title() == ("Finite symmetries of the data", "Conserved quantities of the data")[place]
    assert HOSTILE[0] in view.inner_text("main") and view.locator("script, b").count() == 0
    assert view.locator("img").count() == 2 == view.locator("figure img").count()
    assert view.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert view.evaluate("document.documentElement.scrollWidth") <= 400
    assert said == [] and [url for url in asked if not url.startswith(("data:", still[place].as_uri()))] == []
    view.close()
