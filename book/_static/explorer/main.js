/* <conv-explorer data-tool="player" data-setting="op=…">. The scripts stand before it on its page, so
 that it is drawn while the page is read. */
customElements.define("conv-explorer", class extends HTMLElement {
	connectedCallback() {
		if (this.childElementCount > 0) return;
		const { tool } = this.dataset;
		this.role = "group";
		this.ariaLabel = `Interactive figure: ${tool}`;
		(Explorer.small?.TOOLS[tool] ? Explorer.small : Explorer.figure).mount(this);
	}
});
