import { InferenceSession } from "onnxruntime-node";

/** A session for a graph that runs on one text at a time: on one core, as a text is too little to share out. */
export function openSmallSession(graph: Uint8Array): Promise<InferenceSession> {
  return InferenceSession.create(graph, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // As of the encoder: texts of all lengths would leave a pattern each.
    enableMemPattern: false,
    // Its errors are thrown as well; what it prints is not JSON.
    logSeverityLevel: 4,
  });
}
