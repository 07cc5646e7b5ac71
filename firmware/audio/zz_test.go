package audio
import ("testing";"fmt";"time";"math/rand";"sort")
func cad(t Pattern, total int, level float64) Clip{ var c Clip; var hz []float64; for _,h:=range t.Hz{hz=append(hz,float64(h))}
 if len(hz)==0 {hz=[]float64{425}}
 if t.Cadence==nil { return Tone(hz,time.Duration(total)*time.Millisecond,level)}
 for i:=0;len(c)<total*8;i++{ d:=time.Duration(t.Cadence[i%len(t.Cadence)])*time.Millisecond; if i%2==0 {c=append(c,Tone(hz,d,level)...)} else {c=append(c,make(Clip,samples(d))...)} }
 return c[:min(len(c),total*8)] }
func noise(c Clip, level float64) Clip { a:=amplitude(level)/1.414; o:=make(Clip,len(c)); for i:=range c{o[i]=round16(float32(float64(c[i])+a*rand.NormFloat64()))}; return o}
func TestZZ(t *testing.T){
 var names []string; for n:=range plans{names=append(names,n)}; sort.Strings(names)
 for _,n:=range append(names,"xx"){ for _,pt:=range PlanOf(n) { if pt.Hz==nil && n!="xx" {continue}
  for _,lv:=range []float64{-10,-30}{ for _,lead:=range []int{0,730}{
   c:=append(make(Clip,lead*8),cad(pt,13000,lv)...)
   p:=NewProgress(PlanOf(n)); ev:=p.Hear(noise(c,-55))
   flag:=""; if len(ev)!=1||ev[0].Sound!=pt.Sound{flag="   <<<<<<"}
   fmt.Println(n,pt,lv,lead,ev,flag) }}}}
 for _,n:=range []string{"message","keys","greeting-menu"}{ p:=NewProgress(PlanOf("us")); fmt.Println(n,p.Hear(Prompt(n))) }
 for _,n:=range []string{"us","uk","de","xx"} { ring:=PlanOf(n)[1]; if n=="xx" {ring=PlanOf("us")[1]}
  c:=cad(ring,15000,-20); 
  for _,cut:=range []int{4500,6700,7000,9000}{
  p:=NewProgress(PlanOf(n)); fmt.Println(n,cut,"silent",p.Hear(noise(append(append(Clip{},c[:cut*8]...),make(Clip,80000)...),-60)))
  p=NewProgress(PlanOf(n)); fmt.Println(n,cut,"voice",p.Hear(noise(append(append(append(append(Clip{},c[:cut*8]...),make(Clip,4000)...),Prompt("message-short")...),cad(PlanOf(n)[2],10000,-20)...),-60))) }}
 sit:=append(append(append(Clip{},Tone([]float64{950},330e6,-20)...),Tone([]float64{1400},330e6,-20)...),Tone([]float64{1800},330e6,-20)...)
 p:=NewProgress(PlanOf("us")); fmt.Println("sit",p.Hear(append(append(append(Clip{},make(Clip,8000)...),sit...),Prompt("message-short")...)))
 p=NewProgress(PlanOf("us")); fmt.Println("sit",p.Hear(append(Tone([]float64{913.8},276e6,-20),append(Tone([]float64{1370.6},276e6,-20),Tone([]float64{1776.7},380e6,-20)...)...)))
 p=NewProgress(PlanOf("us")); fmt.Println("silence",p.Hear(make(Clip,160000)))
}
func BenchmarkProgress(b *testing.B){ c:=cad(plans["us"][1],10000,-20); for b.Loop(){ NewProgress(PlanOf("us")).Hear(c)} }
func BenchmarkProgressVoice(b *testing.B){ c:=Prompt("message"); for b.Loop(){ NewProgress(PlanOf("us")).Hear(c)} }
func BenchmarkKeys(b *testing.B){ c:=Prompt("message"); for b.Loop(){ var k Keys; k.Hear(c)} }
