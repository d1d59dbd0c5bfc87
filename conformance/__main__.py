"""The command; `run.sh` starts it inside the virtual environment."""

import argparse
import pathlib
import sys

from check import Report, check_demo


def passphrase(path: pathlib.Path) -> str:
    text = path.read_text("utf-8")
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="conformance/run.sh", description="Checks a finished ceremony with other software.")
    parser.add_argument("demo", nargs="?", type=pathlib.Path, help="folder with <operator>/ceremonies/<16 digits>/out")
    parser.add_argument("--passphrase-file", type=pathlib.Path, help="the passphrase of the keystores, in one line")
    parser.add_argument("--allow-weak-kdf", action="store_true", help="take key derivation below the standard, as in tests")
    parser.add_argument("--matrix", type=pathlib.Path, metavar="QUORATE", help="fresh ceremonies on every network in every shape, by this program")
    parser.add_argument("--self-test", action="store_true", help="check the checks, on a sample and on damaged copies of it")
    arguments = parser.parse_args()
    report = Report()
    if arguments.self_test:
        import selftest

        selftest.run(report)
    elif arguments.matrix:
        if not arguments.matrix.is_file():
            parser.error(f"{arguments.matrix} is not the program")
        import matrix

        matrix.run(report, arguments.matrix.resolve())
    else:
        if arguments.demo is None or arguments.passphrase_file is None:
            parser.error("DEMO_DIR and --passphrase-file are needed")
        if not arguments.demo.is_dir() or not arguments.passphrase_file.is_file():
            parser.error("DEMO_DIR is not a folder, or --passphrase-file not a file")
        check_demo(report, arguments.demo, passphrase(arguments.passphrase_file), arguments.allow_weak_kdf)
    print(f"{report.passed} passed, {len(report.failures)} failed")
    return 1 if report.failures or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
