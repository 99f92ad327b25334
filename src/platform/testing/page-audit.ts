/** What tests of pages ask of any page in a browser: what can be read, reached, and seen in either scheme. */
import type { Page } from 'playwright-core';

export interface WeakText {
  readonly text: string;
  readonly ratio: number;
  readonly colours: string;
}

/**
 * Text whose contrast with what lies behind it is under 4.5 to 1 (WCAG 2.2, 1.4.3), as the browser computes its colours. Text
 * that is drawn counts with its fill.
 */
export function weakTexts(page: Page): Promise<readonly WeakText[]> {
  return page.evaluate(`(() => {
    const parse = (text) => {
      const found = /^rgba?\\(([^)]*)\\)/.exec(text);
      if (found === null) return null;
      const [r, g, b, a = 1] = found[1].split(/[\\s,/]+/).filter(Boolean).map(Number);
      return { r, g, b, a };
    };
    const over = (top, under) => ({
      r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a), b: top.b * top.a + under.b * (1 - top.a), a: 1,
    });
    const behind = (element) => {
      if (element === null) return { r: 255, g: 255, b: 255, a: 1 };
      const own = parse(getComputedStyle(element).backgroundColor);
      return own === null || own.a === 0 ? behind(element.parentElement) : over(own, own.a === 1 ? own : behind(element.parentElement));
    };
    const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const light = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const weak = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let seen = 0;
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() === '' || element.closest('style') !== null) continue;
      const style = getComputedStyle(element);
      const colour = parse(element.closest('svg') === null ? style.color : style.fill);
      const under = behind(element);
      if (colour === null) continue;
      seen += 1;
      const [a, b] = [light(over(colour, under)), light(under)];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) weak.set(style.color + ' on ' + JSON.stringify(under), { text: walker.currentNode.data.trim().slice(0, 60), ratio, colours: style.color + ' on ' + JSON.stringify(under) });
    }
    if (seen === 0) throw new Error('no text was found: this would prove nothing');
    return [...weak.values()];
  })()`);
}

/** By how many pixels the page is wider than its window, and what sticks out furthest. */
export function overflow(page: Page): Promise<{ readonly by: number; readonly element: string }> {
  return page.evaluate(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const widest = [...document.body.querySelectorAll('*')]
      .filter((element) => element.closest('.scroll') === null || element.matches('.scroll'))
      .map((element) => ({ element, right: element.getBoundingClientRect().right }))
      .reduce((most, one) => (one.right > most.right ? one : most), { element: document.body, right: 0 });
    return { by: scrollWidth - clientWidth, element: widest.element.outerHTML.slice(0, 200) };
  })()`);
}
