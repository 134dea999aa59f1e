import{_ as c,j as n,p as r,x as t}from"./index-7M8z9p9w.js";const a={};function o(e,s){return t(),n("h1",null,r(e.$t("common.nav.track")),1)}const l=c(a,[["render",o]]);export{l as default};
