import{_ as t,j as n,p as s,x as o}from"./index-7M8z9p9w.js";const c={};function r(e,a){return o(),n("h1",null,s(e.$t("common.nav.system")),1)}const _=t(c,[["render",r]]);export{_ as default};
