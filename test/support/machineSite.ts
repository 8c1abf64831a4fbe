import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Runs inside a machine: a site whose page is made by a script, and asks for what it must not get. */
const [folder = ""] = process.argv.slice(2);
const server = createServer((_request, response) => {
  response.setHeader("content-type", "text/html");
  response.end(`<!doctype html><title>Tides</title><article><p id="a"></p></article>
    <img src="http://169.254.169.254/latest/meta-data/"><img src="http://other.example.org/">
    <script>document.getElementById("a").textContent = "The tide is " + ["o", "u", "t"].join("") + " ".repeat(200);</script>`);
}).listen(0, "127.0.0.1", () => {
  writeFileSync(`${folder}/site.json`, JSON.stringify((server.address() as AddressInfo).port));
  process.stdout.write("ready\n");
});
