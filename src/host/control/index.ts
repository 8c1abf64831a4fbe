export { askSupervisor, readAddress, SupervisorFailure } from "./askSupervisor.ts";
export type { ControlFailure, ControlReply, ControlRequest } from "./protocol.ts";
export { serveControl, toFailure } from "./serveControl.ts";
