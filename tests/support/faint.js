(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgb = (color) => {
    if (!known.has(color)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      known.set(color, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(color);
  };
  const light = (color) => {
    const part = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(color[0]) + 0.7152 * part(color[1]) + 0.0722 * part(color[2]);
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = rgb(getComputedStyle(node).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const faint = new Set();
  const seen = new Map();
  for (const node of document.querySelectorAll("body *")) {
    const words = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!words || node.closest("title, desc, script, style, .hidden")) continue;
    const style = getComputedStyle(node);
    const paint = node.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const back = behind(node);
    const pair = paint + back;
    if (!seen.has(pair)) {
      const [a, b] = [light(rgb(paint)), light(back)].sort((x, y) => y - x);
      seen.set(pair, (a + 0.05) / (b + 0.05));
    }
    if (seen.get(pair) < 4.5) faint.add(`${node.tagName} ${node.className} ${paint} on ${back}`);
  }
  return [seen.size, ...faint];
})()
