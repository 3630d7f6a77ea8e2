"""search.py --binary PATH: libFuzzer on every decoder of foreign bytes, a while on each.

It begins with the kept corpus and the decoder's own seeds, and follows what reaches new code. Bytes that end a decoder are kept under
fuzz/found/, the search goes on with the next decoder, and the exit status is 1. With --keep, a dozen of the inputs that reach code which the
corpus does not are added to fuzz/corpus/.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = """examples:
  ./dev fuzz                                  a minute on each decoder
  ./dev fuzz --decoder segment --seconds 600  ten minutes on one
  ./dev fuzz --keep                           and what is new goes into the corpus
  build-fuzz/bin/reclaim-fuzz FILE            one input again; RECLAIM_DECODER names the decoder
"""
LENGTH_MAX = 4096
KEPT_AT_ONCE = 12  # of a decoder: a search finds thousands
CALL_S = 10  # after which an input hangs
MEMORY_MB = 2048


def decoders(binary):
    told = subprocess.run([binary], env={**os.environ, "RECLAIM_DECODER": ""}, capture_output=True, text=True, check=False).stderr
    return told.partition("names one of:")[2].split()


def fuzz(binary, name, *arguments, seeds=None):
    environment = {**os.environ, "RECLAIM_DECODER": name, **({"RECLAIM_SEEDS": str(seeds)} if seeds else {})}
    return subprocess.run([binary, *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", check=False)


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def keep(given, name, corpus, grown):
    """Some of what reaches code that the corpus does not, small and large."""
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        fuzz(given.binary, name, "-merge=1", f"-max_len={LENGTH_MAX}", scratch, corpus, grown)
        new = sorted((path for path in pathlib.Path(scratch).iterdir() if not (corpus / path.name).exists()),
                     key=lambda path: (path.stat().st_size, path.name))
        for path in new[::max(1, len(new) // KEPT_AT_ONCE)][:KEPT_AT_ONCE]:
            shutil.copy(path, corpus / path.name)


def search(given, name):
    """What became of it, in words, and how often the decoder ran; None: it ended a decoder."""
    corpus, found = HERE / "corpus" / name, HERE / "found" / name
    with tempfile.TemporaryDirectory() as scratch:
        grown, seeds = pathlib.Path(scratch) / "grown", pathlib.Path(scratch) / "seeds"
        for directory in (grown, seeds):
            directory.mkdir()
        known = [corpus] if corpus.exists() else []
        fuzz(given.binary, name, "-runs=0", seeds=seeds)
        found.mkdir(parents=True, exist_ok=True)
        ran = fuzz(given.binary, name, f"-max_total_time={given.seconds}", f"-max_len={LENGTH_MAX}", f"-timeout={CALL_S}",
                   f"-rss_limit_mb={MEMORY_MB}", "-print_final_stats=1", f"-artifact_prefix={found}/", grown, seeds, *known)
        runs = last_number(r"stat::number_of_executed_units:\s+(\d+)", ran.stderr)
        if ran.returncode != 0:
            print("\n".join(ran.stderr.splitlines()[-40:]), file=sys.stderr)
            return f"ENDED, see {found}", runs, False
        found.rmdir()
        if given.keep:
            keep(given, name, corpus, grown)
        if not found.parent.exists() or not any(found.parent.iterdir()):
            found.parent.rmdir()
    covered = last_number(r"cov: (\d+)", ran.stderr)
    return f"nothing found, {covered} branches reached", runs, True


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.partition("\n\n")[2], epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--decoder", action="append", help="only this one; may be given again [all]")
    parser.add_argument("--seconds", type=int, default=60, help="for each [60]")
    parser.add_argument("--keep", action="store_true", help="add to fuzz/corpus what reaches new code")
    given = parser.parse_args()
    known = decoders(given.binary)
    names = given.decoder or known
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"no decoder {', '.join(unknown)}: there are {', '.join(known)}")
    if given.seconds < 1:
        parser.error("--seconds must be at least 1")
    total, well = 0, True
    for name in names:
        what, runs, is_well = search(given, name)
        total, well = total + runs, well and is_well
        print(f"{name:14} {runs:>12,} executions  {what}", flush=True)
    print(f"fuzz: {len(names)} decoders, {total:,} executions by libFuzzer, {'nothing found' if well else 'see fuzz/found/'}")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
