"""The learner's copy of the pages: laid out clean, kept when edited, saved before it is replaced."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from labsupport.core.errors import BadInput, LabError
from labsupport.core.folders import state_folder
from labsupport.teaching import workspace as room

PAGE = "00-start-here.ipynb"


def cell(source: str, kind: str = "code") -> dict[str, Any]:
    """A cell as it is committed: run, with outputs."""
    bare: dict[str, Any] = {
        "cell_type": kind,
        "id": source[:8] or "empty",
        "metadata": {"tags": ["x"]},
        "source": source,
    }
    if kind == "code":
        output = {"output_type": "stream", "name": "stdout", "text": "lost 0"}
        bare |= {"execution_count": 7, "outputs": [output]}
        bare["metadata"] |= {"execution": {"iopub.status.busy": "2026"}, "trusted": True, "collapsed": False}
    return bare


def page(*sources: str) -> str:
    """A page with these code cells."""
    metadata = {"kernelspec": {"name": "conda-root-py", "display_name": "x"}, "widgets": {"state": {}}}
    cells = [cell("# Title", "markdown"), *(cell(source) for source in sources)]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one page, a picture, and a state folder of its own."""
    monkeypatch.setenv("KAFKA_LAB_STATE", str(tmp_path / "state"))
    source = tmp_path / "a checkout" / "notebooks"
    (source / "images").mkdir(parents=True)
    (source / PAGE).write_text(page("cluster"))
    (source / "images" / "map.svg").write_text("<svg/>")
    (source / ".ipynb_checkpoints").mkdir()
    (source / ".ipynb_checkpoints" / PAGE).write_text("{}")
    return source.parent


def lay_out(repo: Path) -> list[str]:
    """Lay out the pages of `repo`."""
    return room.lay_out(repo, repo / "workspace")


def learner(repo: Path) -> dict[str, Any]:
    """The learner's copy of the page."""
    content: dict[str, Any] = json.loads((repo / "workspace" / PAGE).read_text())
    return content


def edit(repo: Path, source: str = "my own", outputs: str | None = None) -> None:
    """What JupyterLab saves when a cell was edited, or only run."""
    content = learner(repo)
    if outputs is None:
        content["cells"][1]["source"] = [source]
    else:
        content["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": outputs}]
        content["cells"][1]["execution_count"] = 1
        content["metadata"]["language_info"]["version"] = "3.11.7"
    (repo / "workspace" / PAGE).write_text(json.dumps(content, indent=2))


class TestLayingOut:
    def test_a_page_comes_without_outputs_counts_and_traces_of_a_run(self, repo: Path) -> None:
        """Else every verdict would stand under its prediction."""
        assert lay_out(repo) == []
        fresh = learner(repo)["cells"][1]
        assert fresh["outputs"] == [] and fresh["execution_count"] is None
        assert fresh["metadata"] == {"tags": ["x"]}
        assert "lost 0" not in (repo / "workspace" / PAGE).read_text()

    def test_a_page_names_the_kernel_of_the_lab(self, repo: Path) -> None:
        """Else JupyterLab asks which one to use."""
        lay_out(repo)
        assert learner(repo)["metadata"]["kernelspec"]["name"] == "python3"

    def test_a_page_is_signed_in_the_private_folder(self, repo: Path) -> None:
        """As `jupyter trust` does it; the user's own signatures are not touched."""
        import nbformat
        from nbformat.sign import NotebookNotary

        lay_out(repo)
        assert room.jupyter_data().is_relative_to(state_folder())
        notary = NotebookNotary(data_dir=str(room.jupyter_data()))  # type: ignore[no-untyped-call]
        notebook = nbformat.read(repo / "workspace" / PAGE, as_version=4)  # type: ignore[no-untyped-call]
        assert notary.check_signature(notebook)  # type: ignore[no-untyped-call]
        notebook.cells[1].source += "tampered"
        assert not notary.check_signature(notebook)  # type: ignore[no-untyped-call]
        notary.store.close()

    def test_pictures_come_along_and_checkpoints_do_not(self, repo: Path) -> None:
        """What a page shows must be there."""
        lay_out(repo)
        assert (repo / "workspace" / "images" / "map.svg").read_text() == "<svg/>"
        assert not (repo / "workspace" / ".ipynb_checkpoints").exists()

    def test_a_second_time_nothing_is_written(self, repo: Path) -> None:
        """Nor read more than is needed: a start is quick."""
        lay_out(repo)
        before = {path: path.stat().st_mtime_ns for path in (repo / "workspace").rglob("*")}
        assert lay_out(repo) == []
        assert {path: path.stat().st_mtime_ns for path in (repo / "workspace").rglob("*")} == before

    def test_a_page_that_the_learner_removed_comes_back(self, repo: Path) -> None:
        """Removing a page is a way to have it anew."""
        lay_out(repo)
        (repo / "workspace" / PAGE).unlink()
        lay_out(repo)
        assert learner(repo)["cells"][1]["source"] == "cluster"

    def test_nothing_of_the_writing_stays(self, repo: Path) -> None:
        """Files are replaced whole."""
        lay_out(repo)
        assert not [path for path in (repo / "workspace").rglob(".kafka-lab-*") if path.name != ".kafka-lab.json"]


class TestAnUpdate:
    @pytest.fixture(autouse=True)
    def laid(self, repo: Path) -> None:
        """The page has been laid out once."""
        lay_out(repo)

    def update(self, repo: Path) -> None:
        """A newer page is shipped."""
        (repo / "notebooks" / PAGE).write_text(page("cluster", "new cell"))

    def test_an_unedited_page_follows(self, repo: Path) -> None:
        """Without a word."""
        self.update(repo)
        assert lay_out(repo) == []
        assert learner(repo)["cells"][2]["source"] == "new cell"

    def test_a_page_that_was_only_run_follows(self, repo: Path) -> None:
        """Outputs, counts and metadata that JupyterLab saves are no edit."""
        edit(repo, outputs="lost 0")
        self.update(repo)
        assert lay_out(repo) == []
        assert len(learner(repo)["cells"]) == 3

    def test_an_edited_page_is_kept_and_one_sentence_says_how_to_have_the_new_one(self, repo: Path) -> None:
        """At every start until it is settled."""
        edit(repo)
        self.update(repo)
        for _ in range(2):
            sentences = lay_out(repo)
            assert len(sentences) == 1 and "`kafka-lab restore 00-start-here`" in sentences[0]
            assert learner(repo)["cells"][1]["source"] == ["my own"]

    def test_an_edited_page_without_an_update_is_left_in_peace(self, repo: Path) -> None:
        """There is nothing to say."""
        edit(repo)
        assert lay_out(repo) == []
        assert learner(repo)["cells"][1]["source"] == ["my own"]

    def test_a_page_that_cannot_be_read_counts_as_edited(self, repo: Path) -> None:
        """It may be half of the learner's work."""
        (repo / "workspace" / PAGE).write_text('{"cells": [')
        self.update(repo)
        assert len(lay_out(repo)) == 1
        assert (repo / "workspace" / PAGE).read_text() == '{"cells": ['

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 99, "pages": {"x": {}}}', '{"pages": 3}'])
    def test_what_was_laid_out_is_forgotten(self, repo: Path, content: str) -> None:
        """An unedited page is recognised by its text; an edited one is kept."""
        (repo / "workspace" / room.REMEMBERED).write_text(content)
        assert lay_out(repo) == []
        edit(repo)
        (repo / "workspace" / room.REMEMBERED).write_text(content)
        assert len(lay_out(repo)) == 1
        assert learner(repo)["cells"][1]["source"] == ["my own"]

    def test_a_page_that_is_no_longer_shipped_goes_unless_it_was_edited(self, repo: Path) -> None:
        """A renumbered page must not be there twice."""
        (repo / "notebooks" / "01-other.ipynb").write_text(page("other"))
        lay_out(repo)
        (repo / "notebooks" / "01-other.ipynb").unlink()
        (repo / "notebooks" / PAGE).rename(repo / "notebooks" / "01-start.ipynb")
        edit(repo)
        lay_out(repo)
        assert sorted(path.name for path in (repo / "workspace").glob("*.ipynb")) == [PAGE, "01-start.ipynb"]


class TestRestoring:
    @pytest.fixture(autouse=True)
    def laid(self, repo: Path) -> None:
        """The page has been laid out and edited."""
        lay_out(repo)
        edit(repo)

    @pytest.mark.parametrize("name", [PAGE, "00-start-here"])
    def test_the_learners_copy_is_saved_first(self, repo: Path, name: str) -> None:
        """With all that is in it."""
        saved = room.restore(name, repo, repo / "workspace")
        assert saved is not None and "my own" in saved.read_text()
        assert learner(repo)["cells"][1]["source"] == "cluster"

    def test_twice_in_a_second_saves_two_copies(self, repo: Path) -> None:
        """The first one is not overwritten."""
        first = room.restore(PAGE, repo, repo / "workspace")
        second = room.restore(PAGE, repo, repo / "workspace")
        assert first is not None and second is not None and first != second
        assert "my own" in first.read_text()

    def test_a_page_that_is_gone_is_laid_out(self, repo: Path) -> None:
        """There is nothing to save then."""
        (repo / "workspace" / PAGE).unlink()
        assert room.restore(PAGE, repo, repo / "workspace") is None
        assert learner(repo)["cells"][1]["source"] == "cluster"

    def test_it_follows_updates_again(self, repo: Path) -> None:
        """It counts as unedited from now on."""
        room.restore(PAGE, repo, repo / "workspace")
        (repo / "notebooks" / PAGE).write_text(page("newer"))
        assert lay_out(repo) == []
        assert learner(repo)["cells"][1]["source"] == "newer"

    @pytest.mark.parametrize("name", ["", "nope", "../../etc/passwd", "/etc/passwd", "images/map.svg", "."])
    def test_anything_else_is_refused(self, repo: Path, name: str) -> None:
        """The pages are named."""
        with pytest.raises(BadInput, match="There are: 00-start-here"):
            room.restore(name, repo, repo / "workspace")

    def test_a_full_disk_loses_nothing(self, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The learner's copy stays where it is, and one sentence says why."""

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(room.shutil, "copy2", full)
        with pytest.raises(LabError, match="No space left on device"):
            room.restore(PAGE, repo, repo / "workspace")
        assert learner(repo)["cells"][1]["source"] == ["my own"]


class TestStartingAnew:
    def test_work_and_progress_are_put_aside_and_pages_are_fresh(self, repo: Path) -> None:
        """Nothing is deleted."""
        lay_out(repo)
        edit(repo)
        (state_folder() / "predictions.json").write_text("{}")
        aside = room.reset(repo, repo / "workspace")
        assert "my own" in (aside / "workspace" / PAGE).read_text()
        assert (aside / "predictions.json").exists() and not (state_folder() / "predictions.json").exists()
        assert learner(repo)["cells"][1]["source"] == "cluster"

    def test_it_may_be_done_twice_and_before_anything_was_done(self, repo: Path) -> None:
        """Each has a folder of its own."""
        first, second = room.reset(repo, repo / "workspace"), room.reset(repo, repo / "workspace")
        assert first != second and not (first / "workspace").exists() and (second / "workspace").exists()


def test_a_place_that_cannot_be_written_is_one_sentence(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only home or a full disk: the place and the remedy."""
    (repo / "workspace").write_text("a file, where a folder should be")
    with pytest.raises(LabError, match=r"cannot be written: .*\. Free some space or make the folder writable"):
        lay_out(repo)


def test_an_interrupted_write_leaves_the_old_page(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up while a page is written."""
    lay_out(repo)
    (repo / "notebooks" / PAGE).write_text(page("newer"))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(room.os, "fdopen", full)
    with pytest.raises(LabError, match="No space left"):
        lay_out(repo)
    assert learner(repo)["cells"][1]["source"] == "cluster"
    assert sorted(path.name for path in (repo / "workspace").iterdir()) == [room.REMEMBERED, PAGE, "images"]


def test_of_a_lab_only_the_page_is_laid_out(repo: Path) -> None:
    """By the lab's name; its solution, its wrong attempts and its checks stay in the checkout."""
    lab = repo / "labs" / "stuck"
    (lab / "wrong").mkdir(parents=True)
    (lab / "lab.ipynb").write_text(page("lab"))
    for name in ("solution.sh", "scenario.py", "wrong/all.sh"):
        (lab / name).write_text("how to mend it")
    lay_out(repo)
    laid = [str(path.relative_to(repo / "workspace")) for path in (repo / "workspace" / "labs").rglob("*")]
    assert laid == ["labs/stuck.ipynb"]


@pytest.mark.parametrize("name", ["stuck", "labs/stuck", "labs/stuck.ipynb"])
def test_a_lab_is_restored_by_its_name(repo: Path, name: str) -> None:
    """Its folder may be left out; the learner's copy is saved first."""
    (repo / "labs" / "stuck").mkdir(parents=True)
    (repo / "labs" / "stuck" / "lab.ipynb").write_text(page("lab"))
    lay_out(repo)
    (repo / "workspace" / "labs" / "stuck.ipynb").write_text(page("mine"))
    saved = room.restore(name, repo, repo / "workspace")
    assert saved is not None and "mine" in saved.read_text()
    assert "mine" not in (repo / "workspace" / "labs" / "stuck.ipynb").read_text()


def test_every_link_of_our_pages_leads_somewhere_in_the_workspace(tmp_path: Path, repo: Path) -> None:
    """Pages lie closer together there than in the repository, and some lead to labs."""
    room.lay_out(room.repository(), tmp_path / "laid")
    found = []
    for path in (tmp_path / "laid").rglob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        found += [path.parent / target for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose)]
    assert [target for target in found if not target.exists()] == []
    assert "under-replicated.ipynb" in {target.name for target in found}
