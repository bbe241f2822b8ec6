"""What services read of the project is in the form that they want, and in step with the project itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import check_jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from tests.book.test_pages import CONTENT

REPOSITORY = Path(__file__).resolve().parents[2]
FORM = REPOSITORY / ".github" / "ISSUE_TEMPLATE" / "lesson.yml"
WORKFLOW = REPOSITORY / ".github" / "workflows" / "book.yml"
NIGHTLY = WORKFLOW.with_name("nightly.yml")
CONTAINER = REPOSITORY / ".devcontainer" / "devcontainer.json"
SCHEMAS = {
    "CITATION.cff": "citation-file-format",
    ".github/workflows/book.yml": "github-workflows",
    ".github/workflows/nightly.yml": "github-workflows",
    ".github/ISSUE_TEMPLATE/lesson.yml": "github-issue-forms",
    ".github/ISSUE_TEMPLATE/config.yml": "github-issue-config",
}


def checked(file: Path, schema: str) -> Result:
    """What the schema that check-jsonschema brings along says of a file."""
    return CliRunner().invoke(check_jsonschema.main, ["--builtin-schema", f"vendor.{schema}", str(file)])


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items())
def test_it_is_what_its_service_reads(name, schema, tmp_path):
    result = checked(REPOSITORY / name, schema)
    assert result.exit_code == 0, result.output
    lines = (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
    broken = tmp_path / Path(name).name
    broken.write_text("\n".join(["nonsense: 1", *lines[1:]]), encoding="utf-8")
    assert checked(broken, schema).exit_code == 1, "the schema lets everything pass"


def test_every_file_for_github_is_checked():
    files = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / ".github").rglob("*.yml")}
    assert files == {name for name in SCHEMAS if name.startswith(".github")}


def test_the_form_lists_every_lesson_and_every_way_to_read_one():
    fields = {field.get("id"): field for field in yaml.safe_load(FORM.read_text(encoding="utf-8"))["body"]}
    numbers = []
    for name in (name for name in CONTENT if name.startswith("notebooks/")):
        lesson = re.match(r"notebooks/0?(\d+|[A-Z])_(\d_)?", name)
        numbers.append(".".join(part.strip("_") for part in lesson.groups() if part))
    listed = [option.split()[0] for option in fields["lesson"]["attributes"]["options"]]
    assert sorted(listed[:-1]) == sorted(numbers)
    assert listed[-1] == "another"
    assert len(fields["place"]["attributes"]["options"]) == 4


def test_the_workflow_runs_the_one_script_and_publishes_only_what_passed():
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    commands = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    assert commands[-2:] == [".ci/run", "make downloads"]
    assert jobs["publish"]["needs"] == "test"
    assert all("timeout-minutes" in job for job in jobs.values())
    main = "github.ref == 'refs/heads/main'"
    assert main in jobs["publish"]["if"]
    assert all(main in step["if"] for step in jobs["test"]["steps"] if "upload-pages" in step.get("uses", ""))


def test_each_night_other_versions_are_tried():
    job = yaml.safe_load(NIGHTLY.read_text(encoding="utf-8"))["jobs"]["versions"]
    assert job["steps"][-1]["run"] == "make ${{ matrix.target }}"
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for target in job["strategy"]["matrix"]["target"]:
        assert f"\n.PHONY: {target.split()[0]}\n" in makefile


def test_the_container_has_what_the_tests_need_and_makes_the_environment():
    container = json.loads(CONTAINER.read_text(encoding="utf-8"))
    packages = re.search(r"^packages=\((.+)\)$", (REPOSITORY / ".ci" / "run").read_text(), re.MULTILINE)
    assert set(packages[1].split()) <= set(container["onCreateCommand"].split())
    assert container["postCreateCommand"] == "make environment"
    assert container["name"] == yaml.safe_load((REPOSITORY / "_config.yml").read_text())["title"]
    assert re.fullmatch(r"\d+gb", container["hostRequirements"]["memory"])
    for name in container["customizations"]["codespaces"]["openFiles"]:
        assert (REPOSITORY / name).is_file()
    # Names of the format's reference, containers.dev/implementors/json_reference; there is no schema at hand.
    known = {"name", "image", "hostRequirements", "onCreateCommand", "postCreateCommand", "customizations"}
    assert set(container) == known
