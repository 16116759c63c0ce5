// Whoever followed a link into the console and has to sign in first comes out where it led.
"use strict";
const form = document.querySelector("form");
if (location.hash) form.action = form.getAttribute("action") + location.hash;
