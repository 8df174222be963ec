// Renders D2 source on standard input as SVG on standard output.
import { readFileSync } from 'node:fs';
import { D2 } from '@terrastruct/d2';

const d2 = new D2();
const { diagram, renderOptions } = await d2.compile(readFileSync(0, 'utf8'), { layout: 'elk' });
const svg = await d2.render(diagram, { ...renderOptions, noXMLTag: true, pad: 24, themeID: 0, darkThemeID: 200 });
process.stdout.write(svg, () => process.exit(0));
