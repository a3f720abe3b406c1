"""Asks for known vulnerabilities of what the image holds: `python -m templates.audit PIP_AUDIT LOCK`.

pip-audit takes a package that its source does not know for a clean one. Here that is no pass: where not one package
could be looked up, as without a network, the audit is skipped and says so by name; where some could not, it fails.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

SKIPPED = "SKIPPED pip-audit: no advisories can be reached from here, nothing was audited"


def verdict(dependencies: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """Exit code and what to print, of pip-audit's report."""
    unknown = [str(each["name"]) for each in dependencies if "skip_reason" in each]
    if len(unknown) == len(dependencies):
        return 0, [SKIPPED]
    lines = [f"not audited: {name}" for name in unknown]
    for each in dependencies:
        for found in each.get("vulns", ()):
            fixed = ", ".join(found["fix_versions"]) or "no version yet"
            lines.append(f"{each['name']} {each['version']}: {found['id']}, fixed in {fixed}")
    return (1, lines) if lines else (0, [f"pip-audit: {len(dependencies)} packages, no known vulnerability"])


def main(program: str, lock: str) -> int:
    command = [program, "--requirement", lock, "--require-hashes", "--disable-pip", "--format", "json"]
    ended = subprocess.run(command, capture_output=True, text=True)
    if not ended.stdout:
        offline = "ConnectionError" in ended.stderr or "NameResolutionError" in ended.stderr
        print(SKIPPED if offline else ended.stderr, file=sys.stderr)
        return 0 if offline else 1
    code, lines = verdict(json.loads(ended.stdout)["dependencies"])
    print("\n".join(lines), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
