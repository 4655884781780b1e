// SPDX-License-Identifier: Apache-2.0
// What every chart has in common: a figure with a title and a sentence on how to read it, placed
// above its table, drawn anew when its width changes, and its marks reachable by pointer, touch and
// keyboard (one tab stop a chart, arrow keys within).
const MOST = 900;

function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
}

const tip = element("div", "tip");
tip.setAttribute("role", "status");
tip.hidden = true;

function hideTip() {
    tip.hidden = true;
}

function showTip(mark) {
    const box = mark.getBoundingClientRect();
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const {offsetWidth: width, offsetHeight: height} = tip;
    const middle = box.width > 260 ? box.left + 130 : box.left + box.width / 2;
    const left = Math.max(
        8,
        Math.min(middle - width / 2, document.documentElement.clientWidth - width - 8),
    );
    const above = box.top - height - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 4 ? above : box.bottom + 8}px`;
}

// A mark's <title> becomes its label, its tip and its place in the keyboard order.
function livenMarks(box) {
    box.querySelectorAll("title").forEach((title, i) => {
        const mark = title.parentNode;
        mark.setAttribute("data-mark", "");
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", title.textContent);
        mark.setAttribute("tabindex", i === 0 ? "0" : "-1");
        title.remove();
    });
}

function listen(box) {
    const markOf = (event) => event.target.closest?.("[data-mark]");
    box.addEventListener("pointerover", (event) =>
        markOf(event) ? showTip(markOf(event)) : hideTip(),
    );
    box.addEventListener("pointerleave", hideTip);
    box.addEventListener("focusin", (event) => markOf(event) && showTip(markOf(event)));
    box.addEventListener("focusout", hideTip);
    box.addEventListener("keydown", (event) => {
        const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
        if (event.key === "Escape") hideTip();
        if (!step || !markOf(event)) return;
        const marks = [...box.querySelectorAll("[data-mark]")];
        const next = marks[marks.indexOf(markOf(event)) + step];
        event.preventDefault();
        if (!next) return;
        markOf(event).setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
    });
}

export function legend(entries) {
    const list = element("ul", "legend");
    for (const [className, text] of entries) {
        const item = element("li", "", text);
        item.prepend(element("i", className));
        list.append(item);
    }
    return list;
}

// The figure of the table whose caption is wanted; else of the section's first table.
function tableOf(section, about, caption) {
    const figures = [...section.querySelectorAll(":scope > figure:not(.chart)")];
    const says = (figure) => figure.querySelector("caption, summary")?.textContent ?? "";
    const wanted = about ? `${about}: ${caption}` : caption;
    return figures.find((f) => says(f).startsWith(wanted)) ?? figures[0];
}

// spec: kind, title, read (how to read it), section, caption, about, draw(width) -> elements.
export function addChart(spec) {
    const section = document.getElementById(spec.section);
    const before = section && tableOf(section, spec.about, spec.caption);
    if (!before) return;
    const title = spec.about ? `${spec.about}: ${spec.title}` : spec.title;
    const figure = element("figure", "chart");
    const box = element("div", "plot");
    figure.dataset.chart = spec.kind;
    figure.setAttribute("role", "group");
    figure.setAttribute("aria-label", `Chart. ${title}`);
    figure.append(element("p", "title", title), box, element("figcaption", "", spec.read));
    section.insertBefore(figure, before);
    let drawn = 0;
    const draw = () => {
        const width = Math.min(MOST, Math.floor(box.clientWidth));
        if (width === drawn || width < 40) return;
        drawn = width;
        box.replaceChildren(...[spec.draw(width)].flat().filter(Boolean));
        livenMarks(box);
    };
    draw();
    listen(box);
    new ResizeObserver(() => requestAnimationFrame(draw)).observe(box);
}

export function start() {
    document.body.append(tip);
    // A mark that the keyboard reached may have to be scrolled into view: its tip goes with it.
    const follow = () => {
        const mark = document.activeElement?.closest("[data-mark]");
        if (mark && !tip.hidden) showTip(mark);
        else hideTip();
    };
    addEventListener("scroll", follow, {passive: true});
}
