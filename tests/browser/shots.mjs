// Screenshots of every page and state: artefacts to be looked at, in tests/browser/shots.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const folder = join(new URL(".", import.meta.url).pathname, "shots");
mkdirSync(folder, { recursive: true });

export const sizes = {
  phone: { width: 390, height: 844 },
  small: { width: 320, height: 640 },
  pc: { width: 1280, height: 800 },
};

export function shoot(page, name) {
  return page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, animations: "disabled" });
}
