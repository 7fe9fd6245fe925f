// Runs before the page is drawn, so that what serves readers without scripts never flashes up.
document.documentElement.classList.add("js");
