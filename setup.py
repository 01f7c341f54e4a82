"""What pyproject.toml cannot say: folders beside the package that lie inside it once it is installed."""

from setuptools import find_packages, setup

BESIDE = ("templates", "static", "migrations")

setup(
    packages=[*find_packages(include=["httpstep", "httpstep.*"]), *(f"httpstep.{name}" for name in BESIDE)],
    package_dir={f"httpstep.{name}": name for name in BESIDE},
    package_data={f"httpstep.{name}": ["**/*"] for name in BESIDE},
    py_modules=["httpstep_client"],
    include_package_data=False,
)
