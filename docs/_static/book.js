// A formula within a line that is wider than the page scrolls by itself; shorter ones keep their place on the line.
window.addEventListener("load", () =>
  window.MathJax?.startup?.promise.then(() => {
    for (const formula of document.querySelectorAll("article mjx-container:not([display])")) {
      const room = formula.closest("article").clientWidth;
      if (formula.getBoundingClientRect().width > 0.9 * room) formula.classList.add("wide");
    }
  }),
);
