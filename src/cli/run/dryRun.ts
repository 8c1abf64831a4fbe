import { grantedHosts } from "../../host/index.ts";
import { describePlace, type Origin } from "../../profiles/index.ts";
import { rulebookOf, type PreparedRun } from "../../run/index.ts";
import { makeOutput } from "../Output.ts";
import type { RunCall } from "./parseRun.ts";

/** Says what a command would see, run and reach, each with its rule; runs and makes nothing. */
export async function dryRun(prepared: PreparedRun, call: RunCall): Promise<number> {
  const output = makeOutput(call.json);
  // Which libraries are loaded is nobody's decision, so it isn't told.
  const spec = prepared.spec([]);
  const book = rulebookOf(prepared, await grantedHosts(prepared.policy, process.env));
  const { layout, policy } = prepared;
  const by = async <T extends { origin: Origin }>({ origin, ...each }: T) => ({
    ...each,
    by: await describePlace(origin),
  });
  const report = {
    command: spec.command,
    workdir: spec.cwd,
    files: await Promise.all(layout.places.map(by)),
    kept: await Promise.all(layout.exceptions.map(by)),
    programs: await Promise.all(layout.programs.map(by)),
    network: book.blocked === undefined ? await Promise.all(book.hosts.map(by)) : [],
    listens: policy.network.listenPort.map(({ value }) => value),
    variables: Object.keys(spec.environment).toSorted(),
    limits: spec.limits,
    conceded: spec.concessions,
    made: layout.made,
    missing: await Promise.all(layout.missing.map(by)),
  };
  if (call.json) {
    output.json(report);
    return 0;
  }
  output.line(`would run    ${spec.command.join(" ")}`);
  output.line(`in           ${spec.cwd}`);
  for (const file of report.files) {
    const access = [file.read ? "read" : "", file.write ? "write" : ""].filter(Boolean).join(", ");
    output.line(`${access.padEnd(13)}${file.path}  (${file.by})`);
  }
  for (const kept of report.kept)
    output.line(`${kept.access.padEnd(13)}${kept.path}  (${kept.by})`);
  for (const program of report.programs)
    output.line(`execute      ${program.path}  (${program.by})`);
  if (report.network.length === 0) output.line("network      none");
  for (const host of report.network)
    output.line(`connect      ${host.name}:${host.port}, ${host.how}  (${host.by})`);
  for (const port of report.listens)
    output.line(`listen       127.0.0.1:${port} of this host leads to it`);
  output.line(`variables    ${report.variables.join(" ")}`);
  for (const [name, value] of Object.entries(report.limits))
    output.line(`limit        ${name} ${value}`);
  for (const name of report.conceded) output.line(`concede      ${name}, if this host lacks it`);
  for (const folder of report.made) output.line(`make         ${folder}`);
  for (const { what, by: place } of report.missing) output.line(`missing      ${what}  (${place})`);
  return 0;
}
