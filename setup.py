"""What pyproject.toml cannot say: folders beside the package that lie inside it once it is installed."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup

BESIDE = ("templates", "static", "migrations")

# What an earlier build of this checkout left there would be installed as well: modules and migrations that are gone.
shutil.rmtree(Path(__file__).resolve().parent / "build" / "lib", ignore_errors=True)
setup(
    packages=[*find_packages(include=["httpstep", "httpstep.*"]), *(f"httpstep.{name}" for name in BESIDE)],
    package_dir={f"httpstep.{name}": name for name in BESIDE},
    package_data={f"httpstep.{name}": ["**/*"] for name in BESIDE},
    py_modules=["httpstep_client"],
    include_package_data=False,
)
