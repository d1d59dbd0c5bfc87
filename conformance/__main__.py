"""The command; `run.sh` starts it inside the virtual environment."""

import argparse
import pathlib
import sys

import obol
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
    parser.add_argument("--reshares", type=pathlib.Path, metavar="QUORATE", help="the lock and the key shares of reshares for Obol and SSV, by this program")
    parser.add_argument("--duties", type=pathlib.Path, metavar="QUORATE", help="a chain that the validators of a fresh ceremony run, by this program")
    parser.add_argument("--epochs", type=int, default=6, help="with --duties: how many on each of the four forks, at least 5")
    parser.add_argument("--exits", type=pathlib.Path, metavar="QUORATE", help="the exits of a large ceremony by one request, by this program")
    parser.add_argument("--cut-overs", type=pathlib.Path, metavar="QUORATE", help="random cut-overs between generations of shares, with the floors of this program")
    parser.add_argument("--count", type=int, default=1000, help="with --exits: how many validators, 10 to 8192, not a multiple of 7; with --cut-overs: how many")
    parser.add_argument("--deposit-contract", type=pathlib.Path, nargs="+", metavar="FILE", help="run the deposit contract's own code in an EVM on the deposits of these files")
    parser.add_argument("--obol-lock", type=pathlib.Path, help="check a cluster-lock.json of an Obol cluster, and nothing else")
    parser.add_argument("--self-test", action="store_true", help="check the checks, on a sample and on damaged copies of it")
    parser.add_argument("--ssv-directory", type=pathlib.Path, help="a directory of key shares for SSV alone: ceremony-YYYY-MM-DD--HH-MM-SS.mmm")
    parser.add_argument("--owner", help="with --ssv-directory: who registers, in the checksummed spelling")
    parser.add_argument("--nonce", type=int, help="with --ssv-directory: the first nonce")
    parser.add_argument("--validators", type=int, help="with --ssv-directory: how many")
    parser.add_argument("--withdrawal", help="with --ssv-directory: their withdrawal address")
    arguments = parser.parse_args()
    report = Report()
    if arguments.self_test:
        import selftest

        selftest.run(report)
        import ssv_selftest

        ssv_selftest.run(report)
    elif arguments.matrix:
        if not arguments.matrix.is_file():
            parser.error(f"{arguments.matrix} is not the program")
        import matrix

        matrix.run(report, arguments.matrix.resolve())
    elif arguments.reshares:
        if not arguments.reshares.is_file():
            parser.error(f"{arguments.reshares} is not the program")
        import reshared

        reshared.run(report, arguments.reshares.resolve())
    elif arguments.duties:
        if not arguments.duties.is_file():
            parser.error(f"{arguments.duties} is not the program")
        if not 5 <= arguments.epochs <= 100:
            parser.error("--epochs is from 5 to 100")
        import duties

        duties.run(report, arguments.duties.resolve(), arguments.epochs)
    elif arguments.deposit_contract:
        import contract

        contract.run(report, arguments.deposit_contract)
    elif arguments.exits:
        if not arguments.exits.is_file():
            parser.error(f"{arguments.exits} is not the program")
        if not 10 <= arguments.count <= 8192 or arguments.count % 7 == 0:
            parser.error("--count is from 10 to 8192, and not a multiple of 7")
        import exits

        exits.run(report, arguments.exits.resolve(), arguments.count)
    elif arguments.cut_overs:
        if not arguments.cut_overs.is_file():
            parser.error(f"{arguments.cut_overs} is not the program")
        if not 50 <= arguments.count <= 100_000:
            parser.error("--count is from 50 to 100000")
        import cutover

        cutover.run(report, arguments.cut_overs.resolve(), arguments.count)
    elif arguments.ssv_directory is not None:
        import ssv

        if None in (arguments.owner, arguments.nonce, arguments.validators):
            parser.error("--owner, --nonce and --validators are needed")
        withdrawals = (arguments.withdrawal,) * arguments.validators if arguments.withdrawal else None
        expected = ssv.Expected(arguments.owner, arguments.nonce, arguments.validators, withdrawals)
        ssv.check_directory(report, arguments.ssv_directory, expected, {})
    elif arguments.obol_lock:
        obol.check_lock(report, arguments.obol_lock)
    else:
        if arguments.demo is None or arguments.passphrase_file is None:
            parser.error("DEMO_DIR and --passphrase-file are needed")
        if not arguments.demo.is_dir() or not arguments.passphrase_file.is_file():
            parser.error("DEMO_DIR is not a folder, or --passphrase-file not a file")
        check_demo(report, arguments.demo, passphrase(arguments.passphrase_file), arguments.allow_weak_kdf)
        import ssv

        ssv.check_demo(report, arguments.demo)
    print(f"{report.passed} passed, {len(report.failures)} failed")
    return 1 if report.failures or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
