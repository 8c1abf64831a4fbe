export { askSupervisor, readAddress } from "./askSupervisor.ts";
export type { ControlReply, ControlRequest } from "./protocol.ts";
export { serveControl } from "./serveControl.ts";
