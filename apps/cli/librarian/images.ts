import type { Refusal } from "./account.ts";

/** Of formats that scanners and cameras write. SVG is not among them: it is text. */
const imageSuffix = /\.(avif|bmp|gif|heic|heif|jp2|jpe?g|png|tiff?|webp)$/i;

/** True for what is not worth sending: the service could only say that it is an image. */
export function isImage(name: string): boolean {
  return imageSuffix.test(name);
}

export function needsOcr(id: string): Refusal {
  return {
    id,
    reason: "HW_DOCUMENT_IMAGE",
    message: "An image was not sent: its text would have to be recognised, and Headwater has no OCR.",
  };
}
