// Whether everything has its place. These run in the page.

/** In the page. What reaches past its sides, unless it is cut off or scrolls inside something. */
export function overflowing() {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const scrolls = (element) => {
    for (let one = element.parentElement; one; one = one.parentElement)
      if (getComputedStyle(one).overflowX !== 'visible') return true;
    return false;
  };
  return [...document.body.querySelectorAll('*')]
    .filter((element) => element.getBoundingClientRect().right > clientWidth + 0.5 && !scrolls(element))
    .map((element) => `${element.localName}.${element.className}: ${element.textContent.slice(0, 30)}`)
    .concat(`${scrollWidth} > ${clientWidth}`);
}

/**
 * In the page. What is too small to touch: 44 px high and 24 wide at least, the label of a box or a radio included.
 * Words of a sentence are as wide as they are, and links in running text as high as its lines.
 */
export function tooSmall() {
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const targets = [...document.querySelectorAll('button, select, input, textarea, summary, a[href]')];
  return targets.filter(isShown).flatMap((element) => {
    if (element.disabled || element.closest('.visually-hidden')) return [];
    const label = /checkbox|radio/.test(element.type) ? element.closest('label') : null;
    const { width, height } = (label ?? element).getBoundingClientRect();
    const isInText = element.classList.contains('link-button') && element.closest('p');
    const [leastWidth, leastHeight] = isInText ? [24, 24] : [24, 44];
    if (width >= leastWidth - 0.1 && height >= leastHeight - 0.1) return [];
    const name = element.getAttribute('aria-label') ?? (label ?? element).textContent.trim();
    return `${element.localName}.${element.className} “${name.slice(0, 30)}”: ${width.toFixed(0)} × ${height.toFixed(0)}`;
  });
}

export const pageScroll = () => document.documentElement.scrollHeight - document.documentElement.clientHeight;
