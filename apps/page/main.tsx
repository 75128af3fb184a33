import { render } from "preact";
import { App } from "./app.tsx";
import { stayConnected } from "./state/connection.ts";
import { startNavigation } from "./state/navigation.ts";

const place = document.getElementById("page");
if (!place) throw new Error("index.html has no #page");
startNavigation();
render(<App />, place);
void stayConnected();
