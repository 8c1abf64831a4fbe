import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lacking } from "../support/lacking.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";
import { evaluate, FOLDER, namesIn, ROOT } from "./evaluate.ts";
import { facts, planOf, renderedFor, type Facts } from "./rendered.ts";

/**
 * The usual mistakes with OpenClaw on NixOS, each of which has no place here or is found before anything
 * runs. Secrets in a configuration are among those that `refused` has.
 */

const skip = lacking("nix-instantiate", ["--version"]);

test("a placeholder for a hash is refused", { skip }, () => {
  const made = evaluate(
    `let lib = import ${FOLDER}/lib.nix; nixos = import ${FOLDER}/nixos.nix { inherit lib; };
     in ((import ${ROOT}/nix/packages/npm-tree.nix {
       inherit lib; inherit (nixos.pkgs) stdenvNoCC cacert; nodejs = nixos.pkgs.nodejs_24;
     }) { pname = "x"; version = "1"; project = "/p"; hash = lib.fakeHash; system = "x86_64-linux"; without = [ ]; }).name`,
  );
  assert.equal(made.ok, false);
  assert.match(made.error, /x 1 has a placeholder for a hash/);
});

test("the openclaw command of the package refuses to have been installed with nix-env", (t) => {
  const folder = temporaryFolder(t);
  const text = readFileSync(join(ROOT, "nix/packages/openclaw.sh"), "utf8")
    .replace("@shell@", "/bin/sh")
    .replace("@node@", "/bin/echo")
    .replace("@entry@", "entry.mjs");
  const put = (place: string): string => {
    mkdirSync(join(folder, place), { recursive: true });
    const file = join(folder, place, "openclaw");
    writeFileSync(file, text, { mode: 0o755 });
    return file;
  };
  const run = (file: string): ReturnType<typeof spawnSync> =>
    spawnSync(file, ["gateway"], { encoding: "utf8" });
  const [good, bad] = [run(put("sw/bin")), run(put(".nix-profile/bin"))];
  assert.equal(good.stdout, "entry.mjs gateway\n");
  assert.equal(bad.status, 1);
  assert.match(String(bad.stderr), /installed with nix-env.*\n.*services\.openclaw\.enable/);
});

/** Units by name, and tmpfiles.conf. */
type Texts = ReadonlyMap<string, string>;

function textsOf({ declaration, machine }: Facts): Texts {
  return new Map(
    renderedFor(planOf(declaration), machine)
      .filter(({ path }) => path.startsWith("units/") || path === "tmpfiles.conf")
      .map(({ path, bytes }) => [path.replace("units/", ""), Buffer.from(bytes).toString()]),
  );
}

/** State that units name and that nothing makes before they start. */
function unmade(texts: Texts, { prepare }: Facts): string[] {
  const made = new Set(
    [...(texts.get("tmpfiles.conf") ?? "").matchAll(/^d (\S+) /gm)].map(([, path]) => path),
  );
  return [...texts].flatMap(([unit, text]) =>
    [
      ...text.matchAll(
        /^(?:Bind(?:ReadOnly)?Paths|RootDirectory|EnvironmentFile)=(\/var\/lib\/[^:\n]+)/gm,
      ),
    ]
      .map(([, path = ""]) => path)
      .filter((path) => !made.has(path))
      // What is the machine's own, made by the service before these.
      .filter(
        (path) =>
          !(/\/private\/|\/agents\/[^/]+\/live$/.test(path) && prepare.before.includes(unit)),
      )
      .map((path) => `${unit}: ${path}`),
  );
}

/** All that a unit starts after, directly or not. */
function before(unit: string, texts: Texts, { prepare, dropins }: Facts): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = `${texts.get(name) ?? ""}\n${dropins[name] ?? ""}`;
    for (const [, names = ""] of text.matchAll(/^After=(.+)$/gm)) names.split(" ").forEach(visit);
    if (prepare.before.includes(name)) visit("seawall-prepare.service");
    if (name === "seawall-prepare.service") prepare.after.forEach(visit);
  };
  visit(unit);
  return seen;
}

describe("a missing folder and a wrong order", { skip }, () => {
  for (const name of namesIn("configurations"))
    test(`${name} has neither`, () => {
      const made = JSON.parse(
        evaluate(facts(join(FOLDER, "configurations", `${name}.nix`))).out,
      ) as Facts;
      const texts = textsOf(made);
      assert.deepEqual(unmade(texts, made), []);
      const gateways = [...texts.keys()].filter((unit) =>
        /^seawall-gateway-.*\.service$/.test(unit),
      );
      assert.ok(gateways.length > 0);
      const first = ["seawall-prepare", "agenix-install-secrets", "sops-install-secrets", "ollama"];
      for (const unit of gateways) {
        const broker = unit.replace("gateway", "broker");
        for (const each of [...first.map((name) => `${name}.service`), "network.target", broker])
          assert.ok(before(unit, texts, made).has(each), `${unit} doesn't wait for ${each}`);
        assert.ok(before(unit, texts, made).has("systemd-tmpfiles-setup.service"), unit);
        const install = unit.replace("gateway", "install");
        if (texts.has(install))
          for (const each of ["seawall-prepare.service", "network-online.target"])
            assert.ok(before(install, texts, made).has(each), `${install}: ${each}`);
        // Control: it isn't in the graph anyhow.
        const bare = { ...made, dropins: {}, prepare: { ...made.prepare, before: [], after: [] } };
        assert.ok(!before(unit, texts, bare).has("seawall-prepare.service"));
      }
      // Control: a folder that nobody makes is found.
      const lines = (texts.get("tmpfiles.conf") ?? "").split("\n");
      const fewer = lines.filter((line) => !/\/system\/bots\/\S+ /.test(line)).join("\n");
      assert.notDeepEqual(unmade(new Map([...texts, ["tmpfiles.conf", fewer]]), made), []);
      assert.notDeepEqual(
        unmade(texts, { ...made, prepare: { ...made.prepare, before: [], after: [] } }),
        [],
      );
    });
});
