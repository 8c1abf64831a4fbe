import { readFileSync } from "node:fs";
import { request } from "node:https";
import { Resolver } from "node:dns/promises";

/**
 * Runs in a bot's network: makes one call as the bot would, with the phantom that its gateway has and
 * trusting the CA that it trusts, and says how it was answered.
 */
const [gateway = "", address = ""] = process.argv.slice(2);
const url = new URL(address);
const environment = readFileSync(`/proc/${gateway}/environ`, "utf8").split("\0");
const phantom = environment.find((line) => line.startsWith("ANTHROPIC_API_KEY="))?.slice(18) ?? "";
const resolver = new Resolver();
resolver.setServers(["127.0.0.1"]);
const [host = ""] = await resolver.resolve4(url.hostname);
const call = request(
  {
    host,
    path: url.pathname,
    servername: url.hostname,
    ca: readFileSync(`/proc/${gateway}/root/etc/ssl/certs/ca-certificates.crt`),
    headers: { host: url.hostname, "x-api-key": phantom, "anthropic-version": "2023-06-01" },
  },
  (response) => {
    process.stdout.write(`${response.statusCode ?? 0}\n`);
    response.resume();
  },
);
call.once("error", (error) => process.stdout.write(`failed: ${error.message}\n`));
call.end();
