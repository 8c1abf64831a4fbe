export type { AuditEnd, AuditRecord, AuditStart, Outcome } from "./audit/AuditRecord.ts";
export type {
  BrokerBot,
  BrokerConfig,
  BrokerDial,
  BrokerGrant,
  BrokerIngress,
} from "./BrokerConfig.ts";
export type { BridgeRules, BridgeServiceConfig } from "./bridge/BridgeServiceConfig.ts";
export type { Ask, FromBroker, ToBroker } from "./protocol.ts";
export { formatRule } from "./rules/formatRule.ts";
export { matchRule } from "./rules/matchRule.ts";
export { exit, exitBy } from "./service/endProcess.ts";
export { Notify } from "./service/Notify.ts";
export { receiveSockets, type ReceivedSockets } from "./service/receiveSockets.ts";
export { BrokerError } from "./BrokerError.ts";
export type {
  ControlRequest,
  ServiceConfig,
  ServiceSocket,
  TellSocket,
} from "./service/ServiceConfig.ts";
export { AddressRefusedError, type Destination, type Resolve } from "./dial/Destination.ts";
export { findAddresses } from "./dial/findAddresses.ts";
export { nameFailure } from "./dial/nameFailure.ts";
export { systemResolve } from "./dial/systemResolve.ts";
