/**
 * Writes the tables of docs/compared.md from what `seawall prove --json` found, one file for each column:
 *
 *     node bench/compared.ts nothing=a.json bubblewrap=b.json firejail=c.json sandbox-runtime=d.json Seawall=e.json
 *
 * The page says by which commands. Prose that the figures contradict is for a person to mend.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { AttackReport, ProveReport } from "../src/prove/index.ts";

const PAGE = new URL("../docs/compared.md", import.meta.url);

interface Column {
  readonly title: string;
  readonly attacks: readonly AttackReport[];
}

const columns = process.argv.slice(2).map((word): Column => {
  const [title = "", file = ""] = word.split("=", 2);
  const { attacks } = JSON.parse(readFileSync(file, "utf8")) as ProveReport;
  return { title, attacks };
});
const [first] = columns;
if (first === undefined) throw new Error("name the columns, as nothing=a.json");
const groups = [...new Set(first.attacks.map(({ group }) => group))];
const titles = columns.map(({ title }) => title);

/** How many of those that apply got through. */
function through({ attacks }: Column, group?: string): string {
  const all = attacks.filter((each) => group === undefined || each.group === group);
  const applying = all.filter(({ layer }) => layer !== "inapplicable");
  if (applying.length === 0) return "–";
  const untried = applying.filter(({ layer }) => layer === "untried").length;
  const count = applying.filter(({ layer }) => layer === "none").length;
  return `${count} of ${applying.length}${untried === 0 ? "" : ` (${untried} untried)`}`;
}

function answer({ title, attacks }: Column, name: string): string {
  const found = attacks.find((each) => each.name === name);
  if (found === undefined) throw new Error(`${title} was not attacked by ${name}`);
  const words: Readonly<Record<string, string>> = { none: "through", inapplicable: "–" };
  return words[found.layer] ?? found.layer;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

const summary = table([
  ["group", ...titles],
  ...groups.map((group) => [group, ...columns.map((each) => through(each, group))]),
  ["all", ...columns.map((each) => through(each))],
]);
const oneByOne = table([
  ["attack", ...titles],
  ...first.attacks.map(({ name }) => [`\`${name}\``, ...columns.map((each) => answer(each, name))]),
]);
const page = readFileSync(PAGE, "utf8");
const made = page
  .replace(/^\| group .*?(?=\n\n)/ms, () => summary)
  .replace(/^\| attack .*?(?=\n(?:\n|$))/ms, () => oneByOne);
writeFileSync(PAGE, made);
process.stdout.write(`${summary}\n`);
