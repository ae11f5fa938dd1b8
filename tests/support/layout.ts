/**
 * Runs inside the page, so it is text: the root tsconfig knows no DOM. Returns what a reader would stumble over, a
 * line each: the page scrolls sideways, a text is wider than its place, is cut off, or lies over another text.
 */
export const findLayoutProblems = `function () {
  const problems = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) problems.push('the page is ' + root.scrollWidth + ' px wide in a window of ' + root.clientWidth);

  const nameOf = (element) => {
    const classes = typeof element.className === 'string' && element.className !== '' ? '.' + element.className.trim().split(/\\s+/).join('.') : '';
    return element.tagName.toLowerCase() + classes + ' "' + (element.textContent || '').trim().slice(0, 50) + '"';
  };
  const isFolded = (element) => element.closest('details:not([open])') !== null && element.closest('summary') === null;
  const isHidden = (element) => isFolded(element) || element.closest('.hidden, .skip, [hidden], noscript, option, datalist, thead') !== null && element.closest('.skip:focus') === null;
  const scrolls = (style, axis) => /auto|scroll/.test(axis === 'x' ? style.overflowX : style.overflowY);
  const inSidewaysScroller = (element) => {
    for (let at = element; at !== null; at = at.parentElement) if (scrolls(getComputedStyle(at), 'x') && at.tagName === 'SECTION' && at.className.includes('raw')) return true;
    return false;
  };

  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('svg') !== null || isHidden(element)) continue;
    const style = getComputedStyle(element);
    if (style.display === 'inline' || style.visibility === 'hidden' || element.clientWidth === 0) continue;
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    const cuts = /hidden|clip/.test(style.overflowX) || /hidden|clip/.test(style.overflowY);
    if (inSidewaysScroller(element) || element.tagName === 'INPUT' || element.tagName === 'SELECT') continue;
    if ((hasText || cuts) && element.scrollWidth > element.clientWidth + 1) problems.push('too wide by ' + (element.scrollWidth - element.clientWidth) + ' px: ' + nameOf(element));
    if (cuts && element.scrollHeight > element.clientHeight + 1) problems.push('cut off below by ' + (element.scrollHeight - element.clientHeight) + ' px: ' + nameOf(element));
  }

  const fixedOf = (element) => {
    for (let at = element; at !== null; at = at.parentElement) if (getComputedStyle(at).position === 'fixed') return at;
    return null;
  };
  // What an opaque panel that is fixed to the window lies over can't be seen, so it overlaps nothing.
  const isCovered = (element, x, y) => {
    const top = document.elementFromPoint(x, y);
    const panel = fixedOf(top);
    if (panel === null || panel === fixedOf(element)) return false;
    for (let at = top; at !== null && panel.contains(at); at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== 'transparent' && !colour.endsWith(', 0)')) return true;
    }
    return false;
  };

  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const dialog = document.querySelector('dialog[open]');
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (node.textContent.trim() === '' || parent === null || isHidden(parent)) continue;
    if (parent.closest('svg, select, script, style') !== null || (dialog !== null && !dialog.contains(parent))) continue;
    let clip = { left: 0, top: -1e9, right: 1e9, bottom: 1e9 };
    for (let at = parent; at !== null; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.overflowX === 'visible' && style.overflowY === 'visible') continue;
      const box = at.getBoundingClientRect();
      clip = { left: Math.max(clip.left, box.left), top: Math.max(clip.top, box.top), right: Math.min(clip.right, box.right), bottom: Math.min(clip.bottom, box.bottom) };
    }
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      const seen = { left: Math.max(box.left, clip.left), top: Math.max(box.top, clip.top), right: Math.min(box.right, clip.right), bottom: Math.min(box.bottom, clip.bottom) };
      if (isCovered(parent, (seen.left + seen.right) / 2, (seen.top + seen.bottom) / 2)) continue;
      if (seen.right - seen.left > 1 && seen.bottom - seen.top > 1) boxes.push({ ...seen, node, parent });
    }
  }
  boxes.sort((a, b) => a.top - b.top);
  for (let one = 0; one < boxes.length; one++) {
    const a = boxes[one];
    for (let two = one + 1; two < boxes.length && boxes[two].top < a.bottom - 3; two++) {
      const b = boxes[two];
      if (a.node === b.node) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 2 && down > 4) problems.push('overlap of ' + nameOf(a.parent) + ' and ' + nameOf(b.parent));
    }
  }
  return [...new Set(problems)].slice(0, 20);
}`;
