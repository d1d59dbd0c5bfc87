// Makes the files of @chainsafe/bls-keystore and Lodestar in test-vectors/others, and asks their makers for a verdict on each.
//
//     node conformance/make_others.mjs test-vectors/others
//
// The keys are of the numbers 1, 2, 3...: worth nothing, and so are the passwords.

import {mkdirSync, writeFileSync} from "node:fs";
import {Keystore} from "@chainsafe/bls-keystore";
import {PublicKey, SecretKey, Signature, verify} from "@chainsafe/blst";
import {DOMAIN_APPLICATION_BUILDER} from "@lodestar/params";
import {createBeaconConfig} from "@lodestar/config";
import {genesisData, networksChainConfig} from "@lodestar/config/networks";
import {ZERO_HASH, computeDomain, computeSigningRoot} from "@lodestar/state-transition";
import {ssz} from "@lodestar/types";

const root = process.argv[2];
const entries = [];
const secret = (number) => SecretKey.fromBytes(Uint8Array.from({length: 32}, (_, i) => (i === 31 ? number : 0)));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

function add(name, text, kind, maker, accepted, more) {
  mkdirSync(`${root}/${name}`.replace(/\/[^/]*$/, ""), {recursive: true});
  writeFileSync(`${root}/${name}`, text);
  entries.push({file: name, kind, maker, accepted, ...more});
}

async function keystores() {
  const salted = (kdf) => ({function: kdf.function, params: {...kdf.params, salt: "a1".repeat(32)}, message: ""});
  const pbkdf2 = salted({function: "pbkdf2", params: {dklen: 32, c: 262144, prf: "hmac-sha256"}});
  const scrypt = salted({function: "scrypt", params: {dklen: 32, n: 16384, r: 8, p: 1}});
  const file = async (name, number, password, path, description, kdf, change, changed) => {
    const key = secret(number);
    const made = await Keystore.create(password, key.toBytes(), key.toPublicKey().toBytes(), path, description, kdf);
    const keystore = made.toObject();
    change?.(keystore);
    const text = JSON.stringify(keystore, null, 2) + "\n";
    let accepted = false;
    try {
      const read = Keystore.parse(text);
      accepted = hex(await read.decrypt(password)) === hex(key.toBytes());
    } catch {}
    const more = {password, judge: "@chainsafe/bls-keystore 3.1.0", ...(changed ? {changed} : {})};
    add(`bls-keystore/${name}.json`, text, "keystore", "@chainsafe/bls-keystore 3.1.0", accepted, more);
  };
  const path = "m/12381/3600/0/0/0";
  await file("pbkdf2", 1, "another throw-away password", path, undefined, pbkdf2);
  await file("scrypt-16384", 2, "another throw-away password", path, undefined, scrypt);
  await file("letters-in-password", 3, "Zürich · пароль · 𝔱𝔢𝔰𝔱", path, undefined, pbkdf2);
  await file("description", 4, "another throw-away password", path, "Ключ № 4 / “quoted” \\ \n second line", pbkdf2);
  await file("no-path", 5, "another throw-away password", "", undefined, pbkdf2);
  await file("cipher-changed", 6, "another throw-away password", path, undefined, pbkdf2, (keystore) => {
    const message = keystore.crypto.cipher.message;
    keystore.crypto.cipher.message = (message[0] === "0" ? "1" : "0") + message.slice(1);
  }, "the ciphertext");
}

function registrations() {
  const file = (name, network, count, change, changed) => {
    const config = createBeaconConfig(networksChainConfig[network], Buffer.from(genesisData[network].genesisValidatorsRoot.slice(2), "hex"));
    const domain = computeDomain(DOMAIN_APPLICATION_BUILDER, config.GENESIS_FORK_VERSION, ZERO_HASH);
    const rootOf = (message) => computeSigningRoot(ssz.bellatrix.ValidatorRegistrationV1, message, domain);
    const signed = Array.from({length: count}, (_, i) => {
      const key = secret(i + 1);
      const feeRecipient = Buffer.from("fb6916095ca1df60bb79ce92ce3ea74c37c5d359", "hex");
      const message = {feeRecipient, gasLimit: 60000000, timestamp: genesisData[network].genesisTime, pubkey: key.toPublicKey().toBytes()};
      return {message, signature: key.sign(rootOf(message)).toBytes()};
    });
    change?.(signed);
    const text = JSON.stringify(signed.map((one) => ssz.bellatrix.SignedValidatorRegistrationV1.toJson(one)));
    const holds = ({message, signature}) => verify(rootOf(message), PublicKey.fromBytes(message.pubkey, true), Signature.fromBytes(signature, true));
    const accepted = JSON.parse(text).map((one) => ssz.bellatrix.SignedValidatorRegistrationV1.fromJson(one)).every(holds);
    add(`lodestar/${name}.json`, text, "registration", "Lodestar 1.46.0", accepted, {network, ...(changed ? {changed} : {})});
  };
  file("registrations-mainnet", "mainnet", 2);
  file("registrations-hoodi", "hoodi", 3);
  file("registrations-sepolia", "sepolia", 1);
  file("registrations-gas-changed", "hoodi", 1, ([one]) => (one.message.gasLimit = 30000000), "the gas limit");
}

await keystores();
registrations();
console.log(JSON.stringify(entries, null, 1));
