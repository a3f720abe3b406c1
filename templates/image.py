"""The image's recipe, read: its bases, and their digests where the registries can be reached.

`python -m templates.image` looks the digests up with Docker and writes templates/digests.env, to be committed.
"""

import re
import subprocess
from pathlib import Path

RECIPE = Path(__file__).parent / "Dockerfile"
DIGESTS = Path(__file__).parent / "digests.env"
_BASE = re.compile(r"^FROM (\S+)@\$\{(\w+)\} AS \w+$", re.MULTILINE)


def bases() -> dict[str, str]:
    """Argument that holds the digest -> image with its tag."""
    return {argument: image for image, argument in _BASE.findall(RECIPE.read_text())}


def steps() -> list[str]:
    """The commands of the recipe's RUN instructions, in order, without mounts."""
    text = RECIPE.read_text().replace("\\\n", " ")
    found = re.findall(r"^RUN (.+)$", text, re.MULTILINE)
    return [" ".join(re.sub(r"--mount=\S+", "", command).split()) for command in found]


def pin() -> None:
    """Writes the digest of each base, as the registries say today."""
    lines = [f"{argument}={_digest(image)}" for argument, image in bases().items()]
    DIGESTS.write_text("\n".join(lines) + "\n")


def _digest(image: str) -> str:
    command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}"]
    digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ValueError(f"no digest of {image}: docker printed {digest!r}")
    return digest


if __name__ == "__main__":
    pin()
