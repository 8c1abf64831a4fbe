import { writeFileSync } from "node:fs";
import { startStandIns } from "../../src/demo/index.ts";

/**
 * Runs inside a machine: stand-ins for the outside services, whose ports and CA it writes to the folder
 * named by its first argument. The key they take is its second.
 */
const [folder = "", anthropicKey = ""] = process.argv.slice(2);
const standIns = await startStandIns({
  anthropicKey,
  telegramToken: "1234567:AAHkVx9dPq3mZr7tYw2sLc5nBf8jGe4uRiQ",
});
writeFileSync(`${folder}/stand-ins.pem`, standIns.caPem);
writeFileSync(
  `${folder}/stand-ins.json`,
  JSON.stringify({ port: standIns.anthropic.port, telegram: standIns.telegram.port }),
);
process.stdout.write("ready\n");
