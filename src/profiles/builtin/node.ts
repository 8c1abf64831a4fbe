import { usualLimits } from "./usualLimits.ts";

/** Node.js reading the folder it is called in. */
export const node = {
  meta: { name: "node", description: "Node.js, reading the current folder" },
  workdir: { access: "read" },
  exec: { allow: ["node", "npm", "npx"], libraries: ["$WORKDIR/node_modules"] },
  environment: { allow_vars: ["NODE_ENV", "NODE_OPTIONS"] },
  limits: usualLimits,
};
