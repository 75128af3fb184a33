export { realServer } from "./real-server.ts";
export { smallDisk } from "./small-disk.ts";
export { temporaryFolder } from "./temporary-folder.ts";
