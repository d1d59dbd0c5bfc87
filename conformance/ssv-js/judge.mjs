// Judges keyshares.json files with SSV's own libraries: the files are the arguments, the output is one JSON object on each line.
//
// An item's error is kept in the item and not thrown: whoever reads the file has to look there, and so does this.
//
// ssv-keys is 1.1.0 in the registry, and takes files of its own version only: it is given a copy that says v1.1.0, with nothing else changed.

import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {KeyShares as OfSdk} from "@ssv-labs/ssv-sdk/keys";

const {KeyShares: OfKeys} = createRequire(import.meta.url)("ssv-keys/dist/tsc/src/main.js");

// Both load their curve in the background.
await new Promise((done) => setTimeout(done, 500));

async function judge(KeyShares, text, wanted) {
  const shares = await KeyShares.fromJson(text);
  const items = shares.list();
  if (items.length !== wanted) return `${items.length} items of ${wanted}`;
  const wrong = items.findIndex((item) => item.error);
  if (wrong >= 0) return `item ${wrong}: ${item(items[wrong])}`;
  return null;
}

const item = ({error}) => `${error.name}: ${error.message}`;

for (const path of process.argv.slice(2)) {
  const text = readFileSync(path, "utf8");
  const document = JSON.parse(text);
  const older = JSON.stringify({...document, version: "v1.1.0"});
  for (const [engine, KeyShares, given] of [["ssv-sdk 0.1.0", OfSdk, text], ["ssv-keys 1.1.0", OfKeys, older]]) {
    let why;
    try {
      why = await judge(KeyShares, given, document.shares.length);
    } catch (error) {
      why = `${error.name}: ${error.message}`;
    }
    console.log(JSON.stringify({path, engine, ok: why === null, why}));
  }
}
process.exit(0);
