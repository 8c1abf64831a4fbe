/**
 * What is made for an agent says whose it is in its description: `owner.run`, the bot's own id and that of
 * the run. So a run that was killed knows again what it made, and a later one what the bot had before.
 */
export function describe(what: string, mark: string): string {
  return `${what}, kept by Seawall (${mark})`;
}

export type Whose = "this run" | "this bot" | "others";

export function whose(description: string | undefined, mark: string): Whose {
  if (description?.includes(`(${mark})`) === true) return "this run";
  const [owner = ""] = mark.split(".");
  return description?.includes(`kept by Seawall (${owner}.`) === true ? "this bot" : "others";
}
