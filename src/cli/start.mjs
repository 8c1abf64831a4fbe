// Where bin/seawall begins. Plain JavaScript, since Node's cache of compiled code, which spares it
// reading TypeScript anew each time, has to be switched on before there is any.
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";

const { env, argv, getuid } = process;
const root = getuid?.() === 0;
// Beside the programs that Seawall keeps (src/paths/statePaths.ts): a folder of this user's own.
const data = env.XDG_DATA_HOME?.startsWith("/") ? env.XDG_DATA_HOME : `${homedir()}/.local/share`;
const store = env.SEAWALL_STORE || (root ? "/var/lib/seawall/store" : `${data}/seawall/store`);
if (store.startsWith("/")) enableCompileCache(`${store}/command-cache`);

if (argv[2] === "run") await import("./run/main.ts");
else await import("./main.ts");
