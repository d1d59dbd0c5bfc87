#!/usr/bin/env python3
"""Writes test-vectors/newest/answers.json: what a restored operator asks the others, and what one of them answers, from the text of chapters 01 and 09.

    python3 test-vectors/generate/newest.py

Everything follows from labels. Ed25519 is that of without.py; nothing but the standard library is used.
"""

import hashlib
import json

from reshare import HERE, th
from without import sign


def label(text):
    return hashlib.sha256(b"newest/" + text.encode()).digest()


def known(name, standing, digest):
    text = name.encode()
    return digest + bytes([standing]) + len(text).to_bytes(2, "big") + text


def main():
    asker, answerer = label("asker"), label("answerer")
    ceremony, certificate, mark, nonce = map(label, ["ceremony", "certificate", "mark", "nonce"])
    asker_key, _ = sign(asker, b"")
    front = b"QASK" + (1).to_bytes(2, "big") + ceremony + certificate + asker_key + mark + nonce
    ask = front + sign(asker, th("newest-ask", front))[1]
    ask_id = th("newest-ask-id", ask)
    newer = sorted([label("reshare"), label("import")])
    names = ["Second round, larger", ""]
    answers = []
    for all_known in ([], [(names[0], 3, newer[0]), (names[1], 2, newer[1])]):
        body = b"QANS" + (1).to_bytes(2, "big") + ask_id + (3).to_bytes(2, "big") + len(all_known).to_bytes(2, "big")
        body += b"".join(known(*one) for one in all_known)
        answers.append({
            "known": [{"name": name, "standing": standing, "ceremony": digest.hex()} for name, standing, digest in all_known],
            "answer": (body + sign(answerer, th("newest-answer", body))[1]).hex(),
        })
    vector = {
        "comment": "Operator 3 answers what a restored operator asks: once nothing, once two ceremonies (chapter 09, section 9.8).",
        "ceremony": ceremony.hex(),
        "certificate": certificate.hex(),
        "asker_key": asker_key.hex(),
        "mark": mark.hex(),
        "nonce": nonce.hex(),
        "ask": ask.hex(),
        "id": ask_id.hex(),
        "answerer_key": sign(answerer, b"")[0].hex(),
        "operator": 3,
        "answers": answers,
    }
    path = HERE / "newest/answers.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(vector, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
