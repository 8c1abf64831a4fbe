import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import {
  describedFiles,
  describedGeneration,
  describedPlace,
} from "../../src/host/described/describedSystem.ts";
import { readMachine } from "../../src/host/described/MachineDescription.ts";
import { readLoaded } from "../../src/host/index.ts";
import { probeSubject, TestBrowser } from "../../src/services/browser/testing/TestBrowser.ts";

/**
 * In a root of NixOS: `node readPageOnNixos.ts FOLDER` writes the files of the machine that FOLDER describes beside its
 * description, as a build does, and reads a page by the browser that they are for.
 */
const [folder = ""] = process.argv.slice(2);
const machine = readMachine(join(folder, "machine.json"));
const text = readFileSync("/etc/seawall/seawall.json5", "utf8");
const loaded = readLoaded(text, "/etc/seawall/seawall.json5");
const generation = await describedGeneration(loaded, machine);
for (const { path, bytes } of describedFiles(generation, machine)) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), bytes);
}
const { browser } = generation.programs;
const { browser: system } = describedPlace(machine);
if (browser === undefined || system === undefined) throw new Error("the machine has no browser");
const site = createServer((_, response) => {
  response.setHeader("content-type", "text/html");
  response.end(`<title>Tide</title><h1>The tide</h1><p id="a"></p><script>
    const wide = (text, family) => {
      const span = document.createElement("span");
      Object.assign(span.style, { font: "40px " + family, position: "absolute" });
      span.textContent = text;
      document.body.append(span);
      const { width } = span.getBoundingClientRect();
      span.remove();
      return width;
    };
    document.querySelector("#a").textContent =
      wide("iiii", "sans-serif") < wide("WWWW", "sans-serif") && wide("iiii", "monospace") === wide("WWWW", "monospace")
        ? "drawn in two fonts" : "drawn in no font";
  </script>`);
});
site.listen(0, "127.0.0.1");
await once(site, "listening");
const { port } = site.address() as AddressInfo;
const rules = {
  hosts: [`tide.example:${port}`],
  networks: ["127.0.0.0/8"],
  seconds: 30,
  bytes: 1_000_000,
};
const pages = await TestBrowser.start(
  await probeSubject(),
  [{ bot: "one", rules }],
  () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
  { ...browser, system },
);
const reply = await pages.open("one", { url: `http://tide.example:${port}/` });
await pages.stop();
site.close();
process.stdout.write(`${JSON.stringify({ reply, log: pages.log })}\n`);
