"""An input whose address has a user, a password and a signature: none of them is in anything that a job writes."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.corpora.settings import CorpusConfig
from jobs.corpus import main as build_corpus
from jobs.generate import main
from jobs.generation.settings import GenerateConfig
from jobs.runs.terminal import say_error
from pipeline.errors import DLCodeGenError
from tests.corpus_build.notebooks import code, markdown, notebook

pytestmark = pytest.mark.ray

USER, PASSWORD, SIGNATURE = "ann-of-accounts", "pass-of-ann", "signature-of-ann"

FILES = {
    "/rows.jsonl": b'{"requirement": "Classify photos of clouds into 5 kinds."}\n{"requirement": "cut\n',
    "/one.ipynb": notebook(
        markdown("# Predict the level of a river from its last days"),
        code("import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\nmodel.compile('adam', 'mse')"),
        code("model.fit(x, y, epochs=3)"),
    ),
}


class _Guarded(BaseHTTPRequestHandler):
    """Gives a file to whoever names user, password and signature."""

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_GET(self) -> None:
        self.answer(FILES.get(self.path.partition("?")[0], b""))

    def answer(self, body: bytes) -> None:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        path, _, query = self.path.partition("?")
        allowed = self.headers.get("Authorization") == f"Basic {login}" and query == f"sig={SIGNATURE}"
        self.send_response((200 if path in FILES else 404) if allowed else 403)
        self.send_header("Content-Length", str(len(FILES.get(path, b"")) if allowed else 0))
        self.end_headers()
        self.wfile.write(body if allowed else b"")

    def log_message(self, format: str, *values: object) -> None:
        """Nothing."""


@contextmanager
def guarded_server() -> Iterator[str]:
    """Where the files lie, up to the slash before their names."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{USER}:{PASSWORD}@127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def secrets_below(folder: Path) -> list[tuple[str, str]]:
    """The files that hold a secret, and which."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            held = path.read_bytes()
            if path.suffix == ".parquet":
                table = pq.read_table(path)
                held += repr((table.to_pylist(), table.schema.metadata)).encode()
            found += [(path.name, secret) for secret in (USER, PASSWORD, SIGNATURE) if secret.encode() in held]
    return found


def test_a_run_keeps_none_and_goes_on_with_another_signature(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded_server() as place:
        config = GenerateConfig(input=f"{place}/rows.jsonl?sig={SIGNATURE}", out=str(tmp_path / "run"), projects=True)
        summary = main(config)
        assert (summary.rows, summary.generated) == (2, 1)
        assert main(config).resumed_rows == 2
        with pytest.raises(DLCodeGenError) as refused:
            main(config.model_copy(update={"run": config.run.model_copy(update={"input": f"{place}/other.jsonl"})}))
    say_error(str(refused.value))
    assert secrets_below(tmp_path) == []
    assert "rows.jsonl?sig=***" in (tmp_path / "run/manifest.json").read_text()
    printed = capfd.readouterr()
    assert not [secret for secret in (USER, PASSWORD, SIGNATURE) if secret in printed.out + printed.err]
    assert "other.jsonl" in printed.err


def test_a_corpus_keeps_none(tmp_path: Path) -> None:
    with guarded_server() as place:
        build_corpus(CorpusConfig(input=f"{place}/one.ipynb?sig={SIGNATURE}", out=str(tmp_path / "corpus"), quiet=True))
    assert secrets_below(tmp_path) == []
