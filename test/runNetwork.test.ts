import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import {
  NEIGHBOUR_PORT,
  OUTSIDE_HOSTS,
  type OutsideCall,
  type OutsideResult,
} from "./support/withHostsOutside.ts";

const START = resolve(import.meta.dirname, "../src/cli/start.cjs");
const DRIVER = resolve(import.meta.dirname, "support/withHostsOutside.ts");
const UNSHARE = ["--mount", "--net", "--propagation", "private"];
const skip =
  process.env["CI"] !== "true" && spawnSync("unshare", [...UNSHARE, "ip", "link"]).status !== 0
    ? "needs root, unshare(1) and ip(8)"
    : false;
const [API = "", OTHER = ""] = Object.keys(OUTSIDE_HOSTS);

/** Prints what a GET gave, or the code of its error. */
const get = (...urls: string[]) => `(async () => {
  for (const url of ${JSON.stringify(urls)})
    await fetch(url).then(async (r) => console.log(r.status, await r.text()),
      (e) => console.log(e.cause?.cause?.code ?? e.cause?.errors?.[0]?.code ?? e.cause?.code ?? e.code));
})()`;
const INSECURE = ["--env", "NODE_TLS_REJECT_UNAUTHORIZED=0"];
const BY_PROXY = ["--env", "NODE_USE_ENV_PROXY=1"];

describe("seawall run with hosts outside", { skip }, () => {
  const folder = mkdtempSync("/var/tmp/seawall-hosts-");
  // Doctor tries the wall as the user that bots run as.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "home/granted"), { recursive: true });
  writeFileSync(join(folder, "home/granted/file"), "granted");
  writeFileSync(join(folder, "home/secret"), "a secret");
  after(() => rmSync(folder, { recursive: true, force: true }));

  function calls(...all: readonly OutsideCall[]): readonly OutsideResult[] {
    const args = [...UNSHARE, process.execPath, DRIVER, folder, JSON.stringify(all)];
    const done = spawnSync("unshare", args, { encoding: "utf8", timeout: 240_000 });
    assert.equal(done.status, 0, done.stderr);
    return JSON.parse(done.stdout) as OutsideResult[];
  }
  const node = (flags: readonly string[], text: string, container = false): OutsideCall => ({
    args: ["run", ...INSECURE, ...flags, "--", "node", "-e", text],
    container,
  });

  test("--allow-domain reaches that host, --deny-domain takes it away, --proxy-port is another way to the same", () => {
    const both = ["--allow-domain", API, "--allow-domain", OTHER];
    const urls = [`https://${API}/`, `https://${OTHER}/`];
    const connect = (to: string) =>
      `const s = require("net").connect(18080, "127.0.0.1"); s.on("data", (d) => { console.log(String(d).split("\\r\\n")[0]); s.destroy(); }); s.write("CONNECT ${to} HTTP/1.1\\r\\nHost: ${to}\\r\\n\\r\\n")`;
    const [one, two, denied, proxied, connected, stray, noProxy] = calls(
      node(["--allow-domain", API], get(...urls)),
      node(both, get(...urls)),
      node([...both, "--deny-domain", API], get(...urls)),
      node(["--proxy-port", "18080", ...BY_PROXY, "--allow-domain", API], get(...urls)),
      node(["--proxy-port", "18080", "--allow-domain", API], connect(`${API}:443`)),
      node(["--proxy-port", "18080", "--allow-domain", API], connect(`${OTHER}:443`)),
      node(
        ["--allow-domain", API],
        `require("net").connect(18080, "127.0.0.1").on("error", (e) => console.log(e.code))`,
      ),
    );
    assert.equal(one?.output, `200 this is ${API}\nENOTFOUND\n`, one?.errors);
    assert.match(one?.errors ?? "", new RegExp(`allowed by: --allow-domain ${OTHER}`));
    assert.equal(two?.output, `200 this is ${API}\n200 this is ${OTHER}\n`);
    assert.equal(denied?.output, `ENOTFOUND\n200 this is ${OTHER}\n`);
    assert.match(proxied?.output ?? "", new RegExp(`^200 this is ${API}\n(?!200)`));
    assert.match(connected?.output ?? "", /^HTTP\/1\.1 200 /);
    assert.match(stray?.output ?? "", /^HTTP\/1\.1 421 /);
    assert.match(noProxy?.output ?? "", /^(?:ECONNREFUSED|EACCES)\n$/);
  });

  test("the attacks of prove behind what is conceded: what gets through is what the report says", () => {
    const wrapper = join(folder, "wrapper");
    // It is called as: node BUNDLE/inside/main.ts JOB
    writeFileSync(
      wrapper,
      [
        "#!/bin/sh",
        'bundle=$(dirname "$(dirname "$2")")',
        `exec '${process.execPath}' '${START}' run --concede no-user-namespaces \\`,
        "  --max-processes 400 --max-open-files 1000 --max-file-size 100M --memory 1G \\",
        '  --read "$bundle" --allow-library "$bundle" -- "$@"',
        "",
      ].join("\n"),
      { mode: 0o755 },
    );
    const [report] = calls({
      args: ["prove", "--json", "--command", `${wrapper} {}`],
      container: true,
    });
    const { attacks } = JSON.parse(report?.output ?? "") as {
      attacks: readonly {
        name: string;
        group: string;
        held: boolean;
        layer: string;
        detail: string;
      }[];
    };
    assert.ok(attacks.length >= 60);
    // What bounds exhaustion is a control group, which not every machine gives.
    const open = attacks.filter(({ held, group }) => !held && group !== "exhaustion");
    assert.deepEqual(
      open.filter(({ layer }) => layer === "none").map(({ name, detail }) => `${name}: ${detail}`),
      // Who calls it as root is root in it, without any of root's rights.
      ["become-root: setresuid() succeeded"],
    );
    // The others never came to their attempt: /proc can't be listed, and nothing be written.
    for (const { layer, detail, name } of open)
      if (layer !== "none") assert.match(detail, /EACCES/, name);
  });

  test("without user namespaces nothing starts; conceded, only files, programs and hosts that were granted are had", () => {
    const concede = ["--concede", "no-user-namespaces"];
    const granted = join(folder, "home/granted");
    const file = (path: string) =>
      `try { console.log(require("fs").readFileSync(${JSON.stringify(path)}, "utf8")) } catch (e) { console.log(e.code) }`;
    const dial = (port: number, host: string) =>
      `await new Promise((done) => require("net").connect(${port}, "${host}").on("error", (e) => { console.log(e.code); done(); }).on("connect", () => { console.log("connected"); process.exit(); }));`;
    const tries = `(async () => {
      ${file(join(granted, "file"))}
      ${file(join(folder, "home/secret"))}
      ${file("/etc/shadow")}
      ${dial(443, OUTSIDE_HOSTS[API] ?? "")}
      ${dial(NEIGHBOUR_PORT, "127.0.0.1")}
      for (const path of [process.env.TMPDIR + "/own", "/tmp/seawall-shared-test", ${JSON.stringify(join(granted, "new"))}])
        try { require("fs").writeFileSync(path, "x"); console.log("written"); } catch (e) { console.log(e.code); }
      const ran = require("child_process").spawnSync("/usr/bin/id");
      console.log(ran.error?.code ?? ran.status);
      console.log(process.env.TMPDIR);
    })()`;
    const [refused, held, network, blocked, listening, own, control] = calls(
      node(["--read", granted], tries, true),
      node([...concede, "--read", granted], tries, true),
      node([...concede, "--allow-domain", API], get(`https://${API}/`, `https://${OTHER}/`), true),
      node([...concede], get(`https://${API}/`), true),
      node([...concede, "--listen-port", "18790"], "0", true),
      // Where there are namespaces the concession takes nothing away.
      node([...concede, "--read", granted], tries),
      { args: ["doctor"], container: true },
    );
    assert.equal(refused?.code, 4);
    assert.match(
      refused?.errors ?? "",
      /no user namespaces: .*\n {2}hint: .*--concede no-user-namespaces/,
    );
    const [temporary = "", ...seen] = (held?.output ?? "").trim().split("\n").toReversed();
    assert.deepEqual(
      seen.toReversed(),
      // Landlock says EACCES where a namespace would have nothing there.
      ["granted", "EACCES", "EACCES", "EACCES", "EACCES", "written", "EACCES", "EACCES", "EACCES"],
      held?.errors,
    );
    assert.match(held?.errors ?? "", /^seawall: namespaces missing: conceded /);
    assert.match(held?.errors ?? "", /^seawall: network partly: no TCP port/m);
    assert.ok(temporary.startsWith(join(folder, "state/shared/")), temporary);
    assert.deepEqual(readdirSync(join(folder, "state/shared")), []);
    assert.match(
      network?.output ?? "",
      new RegExp(`^200 this is ${API}\n(?!200)`),
      network?.errors,
    );
    assert.match(network?.errors ?? "", /network partly: TCP port \d+ only, but of any host/);
    assert.doesNotMatch(blocked?.output ?? "200", /200/);
    assert.equal(listening?.code, 4);
    assert.match(listening?.errors ?? "", /needs a network of its own/);
    assert.doesNotMatch(own?.errors ?? "conceded", /conceded/);
    assert.match(own?.output ?? "", /^granted\nENOENT\nENOENT\n/);
    assert.equal(control?.code, 4);
    assert.match(control?.output ?? "", /namespaces +missing/);
    assert.match(
      control?.output ?? "",
      /concession +partly +with .* and with --concede no-user-namespaces a command: /,
    );
  });
});
