import { run, runOk } from "./run.ts";

/** What systemd says of one unit. */
export interface UnitState {
  readonly active: string;
  readonly sub: string;
  readonly pid: number;
  readonly restarts: number;
  /** Bytes; 0 where it isn't counted. */
  readonly memory: number;
  /** ISO 8601, of the last change between active and not. */
  readonly since: string;
  readonly result: string;
  readonly text: string;
}

const PROPERTIES = [
  "Id",
  "ActiveState",
  "SubState",
  "MainPID",
  "NRestarts",
  "MemoryCurrent",
  "StateChangeTimestamp",
  "Result",
  "StatusText",
];

export async function showUnits(units: readonly string[]): Promise<Map<string, UnitState>> {
  if (units.length === 0) return new Map();
  const args = ["show", "--timestamp=unix", `--property=${PROPERTIES.join(",")}`, "--", ...units];
  const { stdout } = await run("systemctl", args);
  return new Map(
    stdout.split("\n\n").flatMap((block) => {
      const said = new Map(
        block.split("\n").flatMap((line) => {
          const at = line.indexOf("=");
          return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
        }),
      );
      const id = said.get("Id");
      if (id === undefined) return [];
      const seconds = Number((said.get("StateChangeTimestamp") ?? "").replace("@", ""));
      const number = (name: string): number => {
        const value = Number(said.get(name) ?? 0);
        return Number.isSafeInteger(value) ? value : 0;
      };
      const state: UnitState = {
        active: said.get("ActiveState") ?? "unknown",
        sub: said.get("SubState") ?? "",
        pid: number("MainPID"),
        restarts: number("NRestarts"),
        memory: number("MemoryCurrent"),
        since: new Date((Number.isFinite(seconds) ? seconds : 0) * 1000).toISOString(),
        result: said.get("Result") ?? "",
        text: said.get("StatusText") ?? "",
      };
      return [[id, state] as const];
    }),
  );
}

/** When a timer elapses next, in ISO 8601; nothing where its systemd doesn't say (before 249). */
export async function nextElapse(timer: string): Promise<string | undefined> {
  const { stdout } = await run("systemctl", ["list-timers", "--output=json", "--", timer]);
  const micros = Number(/"next":(\d+)/.exec(stdout)?.[1]);
  return Number.isSafeInteger(micros) && micros > 0
    ? new Date(micros / 1000).toISOString()
    : undefined;
}

export async function reloadManager(): Promise<void> {
  await runOk("systemctl", ["daemon-reload"]);
}

export async function startUnits(units: readonly string[]): Promise<void> {
  if (units.length > 0) await runOk("systemctl", ["start", "--no-block", "--", ...units]);
}

/** Also those that aren't there: nothing is to be stopped then. */
export async function stopUnits(units: readonly string[]): Promise<void> {
  if (units.length > 0) await run("systemctl", ["stop", "--", ...units.map(instances)]);
}

/** Forgets failures, so that they aren't counted against what comes. */
export async function resetUnits(units: readonly string[]): Promise<void> {
  if (units.length > 0) await run("systemctl", ["reset-failed", "--", ...units.map(instances)]);
}

/** A template is none that can be stopped; all that were made of it are. */
function instances(unit: string): string {
  return unit.replace("@.", "@*.");
}
