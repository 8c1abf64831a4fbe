import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Plan } from "../../src/plan/index.ts";
import { lacking } from "../support/lacking.ts";
import { evaluate, FOLDER } from "./evaluate.ts";
import { facts, planOf, renderedFor, type Facts } from "./rendered.ts";

const skip = lacking("nix-instantiate", ["--version"]);

interface Declared {
  readonly bots: {
    readonly reader: { readonly grants: object; readonly settings?: object };
  };
}

test("what a switch of NixOS restarts for a bot that reads pages", { skip }, () => {
  const read = evaluate(facts(join(FOLDER, "configurations/browser.nix")));
  assert.ok(read.ok, read.error);
  const { declaration, machine, prepare } = JSON.parse(read.out) as Facts & {
    readonly declaration: Declared;
  };
  const units = (plan: Plan, on = machine): ReadonlyMap<string, string> =>
    new Map(
      renderedFor(plan, on).flatMap(({ path, bytes }) =>
        path.startsWith("units/")
          ? [[path.slice("units/".length), Buffer.from(bytes).toString()] as const]
          : [],
      ),
    );
  const reader = (more: object): Plan =>
    planOf({
      ...declaration,
      bots: { reader: { ...declaration.bots.reader, ...more } },
    });
  const now = units(reader({}));
  /** What another configuration changes, but for what only says so by its own text. */
  const changed = (other: ReadonlyMap<string, string>): string[] =>
    [...now.keys()].filter((name) => now.get(name) !== other.get(name)).toSorted();

  assert.deepEqual(changed(units(reader({}))), []);
  // Where it may go: the gate, and the broker as for each of a bot's rules. Not the bot itself.
  const elsewhere = { "browser-fetch": { allowHosts: ["*.example.org"] } };
  const grants = { ...declaration.bots.reader.grants, ...elsewhere };
  assert.deepEqual(changed(units(reader({ grants }))), [
    "seawall-broker-reader.service",
    "seawall-gate-reader.service",
  ]);
  // Its Chromium: the gate, with which it ends.
  assert.ok(machine.browser !== undefined);
  const browser = { ...machine.browser, chromium: "/nix/store/newer/libexec/chromium/chromium" };
  assert.deepEqual(changed(units(reader({}), { ...machine, browser })), [
    "seawall-browser-reader@.service",
    "seawall-gate-reader.service",
  ]);
  // What the bot sees itself: neither.
  const settings = { messages: { responsePrefix: "Ahoy" } };
  assert.deepEqual(changed(units(reader({ settings }))), [
    "seawall-broker-reader.service",
    "seawall-gateway-reader.service",
  ]);

  // A browser is started by its gate alone, and a gate is stopped with its sockets (switch-to-configuration-ng).
  assert.match(now.get("seawall-browser-reader@.service") ?? "", /^X-RestartIfChanged=false$/m);
  const gate = now.get("seawall-gate-reader.service") ?? "";
  assert.match(gate, /^X-Restart-Triggers=[0-9a-f]{32}$/m);
  assert.doesNotMatch(gate, /^X-StopIfChanged=/m);
  // Who reads what is made between boots has it made before each start, a restart by a switch included.
  const readers = ["install", "broker", "gateway", "gate"].map(
    (role) => `seawall-${role}-reader.service`,
  );
  assert.deepEqual(prepare.before, readers);
  assert.deepEqual(prepare.wantedBy, ["seawall.target", ...readers]);
  assert.equal(prepare.serviceConfig["RemainAfterExit"], undefined);
});
