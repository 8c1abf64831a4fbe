/**
 * Attacks a proxy and says what didn't hold: see README.md beside this file.
 *
 *     node test/adversaries/run.ts [--target seawall] [--only TEXT] [--json] [--all]
 *     node test/adversaries/run.ts --target generic --connect 127.0.0.1:8443 --host api.test --upstream-port 9443 …
 *
 * Exit code 0 when everything held, 1 when something didn't, 2 for wrong arguments.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Feature } from "./Case.ts";
import { allCases, runAll } from "./runAll.ts";
import type { Result } from "./runCase.ts";
import type { Target } from "./Target.ts";

const { values: options } = parseArgs({
  options: {
    target: { type: "string", default: "seawall" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    connect: { type: "string" },
    host: { type: "string" },
    "upstream-port": { type: "string" },
    "upstream-tls": { type: "boolean", default: false },
    "upstream-ca": { type: "string" },
    plain: { type: "boolean", default: false },
    phantom: { type: "string" },
    secret: { type: "string" },
    feature: { type: "string", multiple: true, default: [] },
    pid: { type: "string" },
    dns: { type: "string" },
    "dns-name": { type: "string" },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const cases = allCases(options.only);
  if (options.list) {
    for (const { name, case: each } of cases) print(`${name.padEnd(44)} ${each.what}`);
    return 0;
  }
  const target = await open();
  if (target === undefined) {
    print("error: --target is seawall, or generic with --connect, --host and --upstream-port");
    return 2;
  }
  const results: Result[] = [];
  try {
    for (const [name, result] of runAll(target, cases)) {
      const each = await result;
      results.push(each);
      if (!options.json && (options.all || each.verdict === "broken"))
        print(
          `${mark(each)} ${name.padEnd(44)} ${each.told.padEnd(14)} ${each.ms} ms${each.why.map((why) => `\n      ${why}`).join("")}`,
        );
    }
  } finally {
    await target.close();
  }
  const count = (verdict: Result["verdict"]): number =>
    results.filter((each) => each.verdict === verdict).length;
  const summary = {
    target: target.name,
    cases: results.length,
    held: count("held"),
    broken: count("broken"),
    notApplicable: count("not-applicable"),
  };
  if (options.json)
    print(JSON.stringify({ ...summary, features: [...target.features], results }, undefined, 2));
  else {
    const lacked = new Map<string, number>();
    for (const { verdict, why } of results)
      if (verdict === "not-applicable")
        lacked.set(why[0] ?? "", (lacked.get(why[0] ?? "") ?? 0) + 1);
    for (const [why, number] of lacked) print(`not applicable: ${number}, since ${why}`);
    print(
      `${summary.cases} cases on ${summary.target}: ${summary.held} held, ${summary.broken} broken, ${summary.notApplicable} not applicable`,
    );
  }
  return summary.broken === 0 ? 0 : 1;
}

async function open(): Promise<Target | undefined> {
  if (options.target === "seawall") return (await import("./targets/seawall.ts")).startSeawall();
  const { connect, host, phantom, secret, pid, dns } = options;
  const upstreamPort = Number(options["upstream-port"]);
  if (
    options.target !== "generic" ||
    connect === undefined ||
    host === undefined ||
    Number.isNaN(upstreamPort)
  )
    return undefined;
  const { pointAt } = await import("./targets/generic.ts");
  return pointAt({
    connect,
    host,
    upstreamPort,
    plain: options.plain,
    upstreamTls: options["upstream-tls"],
    ...(phantom === undefined ? {} : { phantom }),
    ...(secret === undefined ? {} : { secret }),
    ...(pid === undefined ? {} : { pid: Number(pid) }),
    ...(dns === undefined ? {} : { dns }),
    ...(options["dns-name"] === undefined ? {} : { dnsName: options["dns-name"] }),
    features: options.feature as Feature[],
    onCa: (ca) => {
      if (options["upstream-ca"] !== undefined) writeFileSync(options["upstream-ca"], ca);
    },
  });
}

function mark({ verdict }: Result): string {
  return verdict === "held" ? "ok  " : verdict === "broken" ? "FAIL" : "n/a ";
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
