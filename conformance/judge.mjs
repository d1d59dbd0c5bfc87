// Judges outputs with a consensus client's own code: one job as JSON on each line of stdin, one verdict on each line of stdout.
//
// A verdict is {"ok": true} or {"ok": false, "why": "..."}. Nothing here computes a root or a domain: Lodestar does.

import {createInterface} from "node:readline";
import {readFileSync} from "node:fs";
import {Keystore} from "@chainsafe/bls-keystore";
import {PublicKey, SecretKey, Signature, verify} from "@chainsafe/blst";
import {createBeaconConfig} from "@lodestar/config";
import {genesisData, networksChainConfig} from "@lodestar/config/networks";
import {DOMAIN_APPLICATION_BUILDER, SLOTS_PER_EPOCH} from "@lodestar/params";
import * as transition from "@lodestar/state-transition";
import {ssz} from "@lodestar/types";

// Not among what the package exports by name.
const inside = new URL("./node_modules/@lodestar/state-transition/lib/block/processDeposit.js", import.meta.url);
const {isValidDepositSignature} = await import(inside);

const bytes = (text) => Buffer.from(text.replace(/^0x/, ""), "hex");

// The client's own constants of a network; for one that it does not know, those of mainnet with what the ceremony file states.
function configOf({name, genesis_fork_version, capella_fork_version, genesis_validators_root}) {
  const known = networksChainConfig[name];
  if (known) return createBeaconConfig(known, bytes(genesisData[name].genesisValidatorsRoot));
  const chain = {
    ...networksChainConfig.mainnet,
    CONFIG_NAME: name,
    GENESIS_FORK_VERSION: bytes(genesis_fork_version),
    CAPELLA_FORK_VERSION: bytes(capella_fork_version),
  };
  return createBeaconConfig(chain, bytes(genesis_validators_root));
}

const judges = {
  deposit({network, file}) {
    const config = configOf(network);
    const entries = JSON.parse(readFileSync(file));
    if (!entries.length) return "no entries";
    for (const [at, entry] of entries.entries()) {
      const [pubkey, credentials, signature] = ["pubkey", "withdrawal_credentials", "signature"].map((field) => bytes(entry[field]));
      const message = {pubkey, withdrawalCredentials: credentials, amount: entry.amount};
      const root = Buffer.from(ssz.phase0.DepositMessage.hashTreeRoot(message)).toString("hex");
      const data = Buffer.from(ssz.phase0.DepositData.hashTreeRoot({...message, signature})).toString("hex");
      if (root !== entry.deposit_message_root) return `entry ${at}: deposit_message_root`;
      if (data !== entry.deposit_data_root) return `entry ${at}: deposit_data_root`;
      if (!isValidDepositSignature(config, pubkey, credentials, entry.amount, signature)) return `entry ${at}: signature`;
    }
  },

  exit({network, file, pubkey}) {
    const config = configOf(network);
    const exit = ssz.phase0.SignedVoluntaryExit.fromJson(JSON.parse(readFileSync(file)));
    const cache = transition.createPubkeyCache();
    cache.set(exit.message.validatorIndex, bytes(pubkey));
    // In the last fork that has a date: since Deneb all of them are alike (EIP-7044).
    const fork = Object.values(config.forks).filter(({epoch}) => Number.isFinite(epoch)).at(-1);
    const state = {slot: (fork.epoch + 1) * SLOTS_PER_EPOCH};
    if (!transition.verifyVoluntaryExitSignature(config, cache, state, exit)) return "signature";
  },

  registration({network, file}) {
    const config = configOf(network);
    const domain = transition.computeDomain(DOMAIN_APPLICATION_BUILDER, config.GENESIS_FORK_VERSION, new Uint8Array(32));
    const entries = JSON.parse(readFileSync(file));
    if (!entries.length) return "no entries";
    for (const [at, entry] of entries.entries()) {
      const signed = ssz.bellatrix.SignedValidatorRegistrationV1.fromJson(entry);
      const root = transition.computeSigningRoot(ssz.bellatrix.ValidatorRegistrationV1, signed.message, domain);
      const key = PublicKey.fromBytes(signed.message.pubkey, true);
      if (!verify(root, key, Signature.fromBytes(signed.signature, true))) return `entry ${at}: signature`;
    }
  },

  async keystore({file, password}) {
    const keystore = Keystore.parse(readFileSync(file, "utf8"));
    const secret = SecretKey.fromBytes(await keystore.decrypt(password));
    if (Buffer.from(secret.toPublicKey().toBytes()).toString("hex") !== keystore.pubkey) return "pubkey";
  },
};

for await (const line of createInterface({input: process.stdin})) {
  let why;
  try {
    const job = JSON.parse(line);
    why = await judges[job.kind](job);
  } catch (error) {
    why = String(error);
  }
  console.log(JSON.stringify(why === undefined ? {ok: true} : {ok: false, why}));
}
