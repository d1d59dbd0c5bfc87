// The deposit contract in an EVM: its code and storage as they stand in hoodi's genesis (at the address that it has on mainnet too), from
// @ethereumjs/genesis, run by @ethereumjs/evm. Reads deposit files' entries as one JSON array from stdin. Writes what the contract makes of them.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Common, Hardfork, Hoodi } from "@ethereumjs/common";
import { createEVM } from "@ethereumjs/evm";
import { getGenesis } from "@ethereumjs/genesis";
import { Account, createAddressFromString, hexToBytes, bytesToHex } from "@ethereumjs/util";

const CONTRACT = "0x00000000219ab540356cbb839cbe05303d7705fa";
// The first four bytes of Keccak-256 of the signatures, as the contract's published interface has them.
const DEPOSIT = "22895118"; // deposit(bytes,bytes,bytes,bytes32)
const ROOT = "0xc5f2892f"; // get_deposit_root()
const COUNT = "0x621fd130"; // get_deposit_count()
const GWEI = 10n ** 9n;

const word = (number) => number.toString(16).padStart(64, "0");

/** A call of `deposit` with these four arguments, by the ABI. */
function call({ pubkey, withdrawal_credentials, signature, deposit_data_root }) {
  const tails = [pubkey, withdrawal_credentials, signature].map((digits) => {
    const padded = digits.padEnd(64 * Math.ceil(digits.length / 64), "0");
    return word(digits.length / 2) + padded;
  });
  let at = 4 * 32;
  const heads = tails.map((tail) => {
    const head = word(at);
    at += tail.length / 2;
    return head;
  });
  return hexToBytes("0x" + DEPOSIT + heads.join("") + deposit_data_root + tails.join(""));
}

const evm = await createEVM({ common: new Common({ chain: Hoodi, hardfork: Hardfork.Prague }) });
const [, code, storage] = getGenesis(560048)[CONTRACT];
const to = createAddressFromString(CONTRACT);
const caller = createAddressFromString("0x" + "11".repeat(20));
const state = evm.stateManager;
await state.putAccount(to, new Account());
await state.putCode(to, hexToBytes(code));
for (const [slot, value] of storage) {
  await state.putStorage(to, hexToBytes("0x" + slot.slice(2).padStart(64, "0")), hexToBytes(value));
}

async function run(data, value = 0n) {
  const { execResult } = await evm.runCall({ to, caller, data, value, gasLimit: 1_000_000n, skipBalance: true });
  const why = execResult.exceptionError?.error;
  // A refusal says why: the selector of Error(string), an offset, a length, the text.
  const said = why === "revert" ? Buffer.from(execResult.returnValue.slice(68)).toString().replace(/\0+$/, "") : why;
  return { ok: why === undefined, said, logs: execResult.logs ?? [], returned: execResult.returnValue };
}

const entries = JSON.parse(readFileSync(0, "utf8"));
const flipped = (digits) => (digits.startsWith("0") ? "1" : "0") + digits.slice(1);
const deposits = [];
for (const entry of entries) {
  const value = BigInt(entry.amount) * GWEI;
  // What differs in one thing is refused, before and after that what is right is taken.
  const refused = {};
  for (const field of ["pubkey", "withdrawal_credentials", "signature", "deposit_data_root"]) {
    refused[field] = (await run(call({ ...entry, [field]: flipped(entry[field]) }), value)).said;
  }
  refused.amount = (await run(call(entry), value + GWEI)).said;
  const { ok, said, logs } = await run(call(entry), value);
  const log = logs.length === 1 ? bytesToHex(logs[0][2]) : null;
  deposits.push({ ok, said, log, refused });
}
const root = bytesToHex((await run(hexToBytes(ROOT))).returned);
const count = bytesToHex((await run(hexToBytes(COUNT))).returned);
const hash = createHash("sha256").update(hexToBytes(code)).digest("hex");
console.log(JSON.stringify({ code: hash, bytes: (code.length - 2) / 2, deposits, root, count }));
