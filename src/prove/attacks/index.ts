import type { Attack } from "../Attack.ts";
import { bridgeAcknowledge } from "./bridge/acknowledge.ts";
import { bridgeFlood } from "./bridge/flood.ts";
import { bridgeQueue } from "./bridge/queue.ts";
import { bridgeRecipient } from "./bridge/recipient.ts";
import { bridgeSender } from "./bridge/sender.ts";
import { bridgeToken } from "./bridge/token.ts";
import { commandFlood } from "./commands/flood.ts";
import { commandHeader } from "./commands/header.ts";
import { commandMalformed } from "./commands/malformed.ts";
import { neighbourCommands } from "./commands/neighbour.ts";
import { commandOtherCall } from "./commands/otherCall.ts";
import { commandOtherUser } from "./commands/otherUser.ts";
import { commandOutput } from "./commands/output.ts";
import { commandPath } from "./commands/path.ts";
import { commandPathInput } from "./commands/pathInput.ts";
import { commandSecret } from "./commands/secret.ts";
import { commandSocket } from "./commands/socket.ts";
import { commandUngranted } from "./commands/ungranted.ts";
import { addKey } from "./escape/addKey.ts";
import { becomeRoot } from "./escape/becomeRoot.ts";
import { bindMount } from "./escape/bindMount.ts";
import { bpf } from "./escape/bpf.ts";
import { chroot } from "./escape/chroot.ts";
import { clone3Namespace } from "./escape/clone3Namespace.ts";
import { cloneNamespace } from "./escape/cloneNamespace.ts";
import { ioUring } from "./escape/ioUring.ts";
import { joinNamespace } from "./escape/joinNamespace.ts";
import { loadModule } from "./escape/loadModule.ts";
import { makeDevice } from "./escape/makeDevice.ts";
import { mount } from "./escape/mount.ts";
import { newMountApi } from "./escape/newMountApi.ts";
import { openDevices } from "./escape/openDevices.ts";
import { otherNamespaces } from "./escape/otherNamespaces.ts";
import { pasteIntoConsole } from "./escape/pasteIntoConsole.ts";
import { perfEvents } from "./escape/perfEvents.ts";
import { pivotRoot } from "./escape/pivotRoot.ts";
import { procSys } from "./escape/procSys.ts";
import { reboot } from "./escape/reboot.ts";
import { regainCapabilities } from "./escape/regainCapabilities.ts";
import { releaseAgent } from "./escape/releaseAgent.ts";
import { remount } from "./escape/remount.ts";
import { setClock } from "./escape/setClock.ts";
import { setHostname } from "./escape/setHostname.ts";
import { signalLauncher } from "./escape/signalLauncher.ts";
import { swap } from "./escape/swap.ts";
import { traceLauncher } from "./escape/traceLauncher.ts";
import { typeIntoTerminal } from "./escape/typeIntoTerminal.ts";
import { unmount } from "./escape/unmount.ts";
import { userNamespace } from "./escape/userNamespace.ts";
import { userfaultfd } from "./escape/userfaultfd.ts";
import { watchEverything } from "./escape/watchEverything.ts";
import { memoryFile } from "./execution/memoryFile.ts";
import { multicall } from "./execution/multicall.ts";
import { ownLibrary } from "./execution/ownLibrary.ts";
import { ownProgram } from "./execution/ownProgram.ts";
import { ownScript } from "./execution/ownScript.ts";
import { personality } from "./execution/personality.ts";
import { setuidProgram } from "./execution/setuidProgram.ts";
import { thirtyTwoBit } from "./execution/thirtyTwoBit.ts";
import { throughLoader } from "./execution/throughLoader.ts";
import { ungrantedPrograms } from "./execution/ungrantedPrograms.ts";
import { descriptors } from "./exhaustion/descriptors.ts";
import { forkBomb } from "./exhaustion/forkBomb.ts";
import { largeFile } from "./exhaustion/largeFile.ts";
import { logFlood } from "./exhaustion/logFlood.ts";
import { memory } from "./exhaustion/memory.ts";
import { surviveOthers } from "./exhaustion/surviveOthers.ts";
import { temporaryFiles } from "./exhaustion/temporaryFiles.ts";
import { neighbourFiles } from "./neighbours/files.ts";
import { neighbourGateway } from "./neighbours/gateway.ts";
import { neighbourPhantom } from "./neighbours/phantom.ts";
import { neighbourProcesses } from "./neighbours/processes.ts";
import { neighbourSocket } from "./neighbours/socket.ts";
import { absoluteTarget } from "./network/absoluteTarget.ts";
import { abstractSocket } from "./network/abstractSocket.ts";
import { agentSocket } from "./network/agentSocket.ts";
import { broadcast } from "./network/broadcast.ts";
import { browserFile } from "./network/browserFile.ts";
import { browserLoopback } from "./network/browserLoopback.ts";
import { browserMetadata } from "./network/browserMetadata.ts";
import { changeAddresses } from "./network/changeAddresses.ts";
import { changeRoutes } from "./network/changeRoutes.ts";
import { connectMethod } from "./network/connectMethod.ts";
import { dnsName } from "./network/dnsName.ts";
import { dnsOtherServer } from "./network/dnsOtherServer.ts";
import { dnsOverHttps } from "./network/dnsOverHttps.ts";
import { dnsTxt } from "./network/dnsTxt.ts";
import { dockerSocket } from "./network/dockerSocket.ts";
import { dotSegments } from "./network/dotSegments.ts";
import { explicitProxy } from "./network/explicitProxy.ts";
import { fastOpen } from "./network/fastOpen.ts";
import { firewall } from "./network/firewall.ts";
import { h2cUpgrade } from "./network/h2cUpgrade.ts";
import { hostLoopback } from "./network/hostLoopback.ts";
import { hostLoopbackUdp } from "./network/hostLoopbackUdp.ts";
import { http2Authority } from "./network/http2.ts";
import { icmp } from "./network/icmp.ts";
import { ipv4Mapped } from "./network/ipv4Mapped.ts";
import { ipv6Address } from "./network/ipv6Address.ts";
import { metadata } from "./network/metadata.ts";
import { misplacedPhantom } from "./network/misplacedPhantom.ts";
import { otherAddress } from "./network/otherAddress.ts";
import { otherHostHeader } from "./network/otherHostHeader.ts";
import { otherServerName } from "./network/otherServerName.ts";
import { otherTransports } from "./network/otherTransports.ts";
import { packetSocket } from "./network/packetSocket.ts";
import { privateNetwork } from "./network/privateNetwork.ts";
import { rawSocket } from "./network/rawSocket.ts";
import { serviceSockets } from "./network/serviceSockets.ts";
import { sessionBus } from "./network/sessionBus.ts";
import { smuggleCoding } from "./network/smuggleCoding.ts";
import { smuggleDoubleLength } from "./network/smuggleDoubleLength.ts";
import { smuggleLengths } from "./network/smuggleLengths.ts";
import { smuggleLineFeed } from "./network/smuggleLineFeed.ts";
import { supervisorSocket } from "./network/supervisorSocket.ts";
import { systemBus } from "./network/systemBus.ts";
import { tcpAddress } from "./network/tcpAddress.ts";
import { udpAddress } from "./network/udpAddress.ts";
import { unixSocket } from "./network/unixSocket.ts";
import { vsock } from "./network/vsock.ts";
import { x11 } from "./network/x11.ts";
import { auditRecord } from "./persistence/auditRecord.ts";
import { authorizedKeys } from "./persistence/authorizedKeys.ts";
import { cron } from "./persistence/cron.ts";
import { declaration } from "./persistence/declaration.ts";
import { deployment } from "./persistence/deployment.ts";
import { desktop } from "./persistence/desktop.ts";
import { editorSettings } from "./persistence/editorSettings.ts";
import { gitHooks } from "./persistence/gitHooks.ts";
import { ownConfiguration } from "./persistence/ownConfiguration.ts";
import { programs } from "./persistence/programs.ts";
import { shellFiles } from "./persistence/shellFiles.ts";
import { systemFiles } from "./persistence/systemFiles.ts";
import { units } from "./persistence/units.ts";
import { caKey } from "./secrets/caKey.ts";
import { coreDump } from "./secrets/coreDump.ts";
import { deploymentKeys } from "./secrets/deploymentKeys.ts";
import { fileHandle } from "./secrets/fileHandle.ts";
import { hardLink } from "./secrets/hardLink.ts";
import { kernelLog } from "./secrets/kernelLog.ts";
import { kernelMemory } from "./secrets/kernelMemory.ts";
import { keyring } from "./secrets/keyring.ts";
import { leakedDescriptors } from "./secrets/leakedDescriptors.ts";
import { ownEnvironment } from "./secrets/ownEnvironment.ts";
import { ownMemory } from "./secrets/ownMemory.ts";
import { ownerKeys } from "./secrets/ownerKeys.ts";
import { procArguments } from "./secrets/procArguments.ts";
import { procDescriptors } from "./secrets/procDescriptors.ts";
import { procEnvironment } from "./secrets/procEnvironment.ts";
import { procMemory } from "./secrets/procMemory.ts";
import { procRoot } from "./secrets/procRoot.ts";
import { processVmReadv } from "./secrets/processVmReadv.ts";
import { secretInReply } from "./secrets/secretInReply.ts";
import { sharedMemory } from "./secrets/sharedMemory.ts";
import { symbolicLink } from "./secrets/symbolicLink.ts";
import { systemSecrets } from "./secrets/systemSecrets.ts";
import { takeDescriptor } from "./secrets/takeDescriptor.ts";
import { traceProcess } from "./secrets/traceProcess.ts";
import { vault } from "./secrets/vault.ts";

/** Every attack, in the order of the report. A new one is a new file and a line. */
export const attacks: readonly Attack[] = [
  ownerKeys,
  vault,
  caKey,
  deploymentKeys,
  systemSecrets,
  symbolicLink,
  hardLink,
  fileHandle,
  procRoot,
  procDescriptors,
  procEnvironment,
  procArguments,
  procMemory,
  processVmReadv,
  traceProcess,
  takeDescriptor,
  coreDump,
  keyring,
  ownEnvironment,
  leakedDescriptors,
  kernelMemory,
  kernelLog,
  sharedMemory,
  secretInReply,
  ownMemory,
  tcpAddress,
  ipv6Address,
  ipv4Mapped,
  hostLoopback,
  hostLoopbackUdp,
  udpAddress,
  broadcast,
  icmp,
  rawSocket,
  packetSocket,
  vsock,
  otherTransports,
  fastOpen,
  dnsName,
  dnsTxt,
  dnsOtherServer,
  dnsOverHttps,
  metadata,
  browserFile,
  browserLoopback,
  browserMetadata,
  privateNetwork,
  unixSocket,
  abstractSocket,
  supervisorSocket,
  dockerSocket,
  systemBus,
  sessionBus,
  x11,
  agentSocket,
  serviceSockets,
  changeRoutes,
  changeAddresses,
  firewall,
  otherHostHeader,
  otherServerName,
  otherAddress,
  connectMethod,
  absoluteTarget,
  h2cUpgrade,
  smuggleLengths,
  smuggleDoubleLength,
  smuggleCoding,
  smuggleLineFeed,
  dotSegments,
  misplacedPhantom,
  http2Authority,
  explicitProxy,
  commandUngranted,
  commandOtherCall,
  commandPath,
  commandPathInput,
  commandHeader,
  commandSecret,
  commandMalformed,
  commandSocket,
  commandOtherUser,
  commandOutput,
  ownProgram,
  ownScript,
  ownLibrary,
  ungrantedPrograms,
  throughLoader,
  memoryFile,
  setuidProgram,
  multicall,
  thirtyTwoBit,
  personality,
  mount,
  bindMount,
  remount,
  newMountApi,
  unmount,
  pivotRoot,
  chroot,
  userNamespace,
  otherNamespaces,
  cloneNamespace,
  clone3Namespace,
  joinNamespace,
  procSys,
  releaseAgent,
  typeIntoTerminal,
  pasteIntoConsole,
  traceLauncher,
  signalLauncher,
  becomeRoot,
  regainCapabilities,
  loadModule,
  reboot,
  swap,
  bpf,
  userfaultfd,
  ioUring,
  perfEvents,
  addKey,
  watchEverything,
  makeDevice,
  openDevices,
  setHostname,
  setClock,
  ownConfiguration,
  declaration,
  deployment,
  auditRecord,
  programs,
  shellFiles,
  cron,
  units,
  gitHooks,
  editorSettings,
  desktop,
  authorizedKeys,
  systemFiles,
  neighbourFiles,
  neighbourProcesses,
  neighbourGateway,
  neighbourSocket,
  neighbourPhantom,
  neighbourCommands,
  bridgeSender,
  bridgeRecipient,
  bridgeQueue,
  bridgeAcknowledge,
  bridgeToken,
  commandFlood,
  bridgeFlood,
  forkBomb,
  memory,
  largeFile,
  temporaryFiles,
  descriptors,
  logFlood,
  surviveOthers,
];

const names = attacks.map(({ name }) => name);
if (new Set(names).size !== names.length) throw new Error("two attacks have the same name");
